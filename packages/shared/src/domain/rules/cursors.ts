import { LAST } from '../rank.ts';
import type { Wave } from '../wave.ts';
import type { Docket, Rule } from './rule.ts';

/** I4. The number of admitted nodes of a rollout never shrinks but by halt or abort. */
export function cursorsOnlyRise(docket: Docket): Rule {
  const furthest = new Map<string, { readonly cursor: number; readonly revision: number }>();
  const seeds = new Map<string, string>();

  return {
    see(entry) {
      if (entry.kind !== 'wave') return;
      const { wave, revision, sequence } = entry;
      if (wave.phase === 'halted' || wave.phase === 'aborted') return;
      const key = `${wave.region}/${wave.service}/${wave.release.rollout}`;
      const named = `wave ${revision} of ${wave.service} in ${wave.region}, rollout ${wave.release.rollout}`;
      const cursor = admittedBelow(wave);
      const before = furthest.get(key);
      if (before !== undefined) docket.judged();
      if (before !== undefined && cursor < before.cursor) {
        docket.violation(
          sequence,
          `${named} admits ranks below ${cursor}, though wave ${before.revision} admitted those below ${before.cursor}`,
        );
      }
      if (before === undefined || cursor > before.cursor) furthest.set(key, { cursor, revision });
      // Everybody is admitted by a settled wave, whatever its seed; among the others another seed is another line.
      if (wave.phase === 'settled') return;
      const seed = seeds.get(key);
      if (seed !== undefined && seed !== wave.seed)
        docket.violation(sequence, `${named} draws its line anew: its seed has changed`);
      seeds.set(key, wave.seed);
    },
  };
}

function admittedBelow(wave: Wave): number {
  return wave.phase === 'settled' ? LAST : wave.cursor;
}
