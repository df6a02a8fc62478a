import type { ServiceName } from '../names.ts';
import type { Scope } from '../scope.ts';
import type { Docket, Rule } from './rule.ts';

/** I13, as far as a log shows it: what was rejected as a release changes nothing, so no wave of that scope ever orders it. */
export function rejectedStaysRejected(docket: Docket): Rule {
  const rejected = new Set<string>();
  const ordered = new Map<string, string>();

  return {
    see(entry) {
      if (entry.kind === 'wave') {
        const { wave, revision, sequence } = entry;
        const key = keyOf(wave.scope, wave.service, wave.release.rollout);
        const named = `wave ${revision} of ${wave.service} in ${wave.region}`;
        if (rejected.has(key))
          docket.violation(sequence, `${named} orders rollout ${wave.release.rollout}, which was rejected`);
        if (ordered.has(key)) return;
        docket.judged();
        ordered.set(key, named);
      } else if (entry.kind === 'event' && entry.event.name === 'release-rejected') {
        const { scope, service, rollout } = entry.event;
        if (rollout === undefined) return;
        const key = keyOf(scope, service, rollout);
        rejected.add(key);
        docket.judged();
        // Events and orders come from two streams: either may be seen first.
        const named = ordered.get(key);
        if (named !== undefined)
          docket.violation(entry.sequence, `release ${rollout} is rejected, though ${named} ordered it`);
      }
    },
  };
}

function keyOf(scope: Scope | undefined, service: ServiceName, rollout: number): string {
  return `${scope ?? ''}/${service}/${rollout}`;
}
