import type { Digest } from '../image.ts';
import type { LogEntry } from '../log.ts';
import type { ServiceName } from '../names.ts';
import { SETTLED_KEPT } from '../rollout.ts';
import type { Scope } from '../scope.ts';
import type { Halt } from '../wave.ts';
import type { Evidence } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

/** What one leader trusts, as far as its orders and events show it. */
interface Trust {
  /** Rollouts that have settled, by its waves; they stand before every halt that was decided after. */
  readonly shown: Set<number>;
  /** The same by its events, which may come later. */
  readonly told: Set<number>;
  /** Digests that it has halted as bad: up to that rollout they count as never settled. */
  readonly bad: Map<Digest, number>;
  /** A scope's leader says its halt in each of its waves. */
  readonly halts: Set<string>;
}

/** I5. From what the fleet had settled on before, a halt takes nobody back; and of nothing else does it say so. */
export function haltsSpareWhatSettled(evidence: Evidence, docket: Docket): Rule {
  const known = new Map<ServiceName, Map<Scope | undefined, Trust>>();

  return {
    see(entry) {
      if (entry.kind === 'halt') return seeHalt(entry, trustIn(entry.service), entry.halt);
      if (entry.kind === 'event' && entry.event.name === 'rollout-settled') {
        const { service, scope, rollout } = entry.event;
        if (rollout !== undefined) trustIn(service, scope).told.add(rollout);
      }
      if (entry.kind !== 'wave') return;
      const { service, scope, phase, release, halt } = entry.wave;
      if (phase === 'settled') trustIn(service, scope).shown.add(release.rollout);
      seeHalt(entry, trustIn(service, scope), halt);
    },
  };

  function trustIn(service: ServiceName, scope?: Scope): Trust {
    const scopes = known.get(service) ?? new Map<Scope | undefined, Trust>();
    known.set(service, scopes);
    const trust = scopes.get(scope) ?? {
      shown: new Set(),
      told: new Set(),
      bad: new Map(),
      halts: new Set(),
    };
    scopes.set(scope, trust);
    return trust;
  }

  function seeHalt({ sequence }: LogEntry, trust: Trust, halt: Halt | undefined): void {
    if (halt === undefined) return;
    const { rollout, digest, stay, settledAs } = halt;
    const said = `${rollout} ${stay} ${settledAs}`;
    if (trust.halts.has(said)) return;
    trust.halts.add(said);
    if (settledAs === undefined) judgeSparing(sequence, trust, halt);
    else docket.later(() => judgeClaim(sequence, halt, settledAs));
    if (settledAs === undefined) trust.bad.set(digest, Math.max(rollout, trust.bad.get(digest) ?? 0));
  }

  /** Had the fleet settled on it as another rollout, of late, and not as this one? */
  function judgeSparing(sequence: number, trust: Trust, { service, rollout, digest, stay }: Halt): void {
    const after = trust.bad.get(digest) ?? 0;
    const before = [...trust.shown].filter(
      (one) => one > after && one < rollout && evidence.digestOf(service, one) === digest,
    );
    if (before.length === 0) return;
    const last = Math.max(...before);
    docket.later(() => {
      const all = [...new Set([...trust.shown, ...trust.told])];
      const since = all.filter((one) => one > last && one < rollout).length;
      if (all.includes(rollout) || since >= SETTLED_KEPT) return;
      docket.judged();
      if (stay !== true)
        docket.violation(
          sequence,
          `the halt of rollout ${rollout} of ${service} takes nodes back from what the fleet had settled on as rollout ${last}`,
        );
    });
  }

  /** As whichever leader's rollout: a scope begins with what the global one knew. */
  function judgeClaim(sequence: number, { service, rollout, digest, stay }: Halt, settledAs: number): void {
    const carried = evidence.digestOf(service, settledAs);
    if (carried === undefined) return;
    docket.judged();
    const all = [...(known.get(service)?.values() ?? [])];
    const hasSettled = all.some(({ shown, told }) => shown.has(settledAs) || told.has(settledAs));
    if (stay === true && carried === digest && settledAs < rollout && hasSettled) return;
    docket.violation(
      sequence,
      `the halt of rollout ${rollout} of ${service} says that the fleet had settled on it as rollout ${settledAs}, which is not so`,
    );
  }
}
