import { sameValue } from '../../kernel/equal.ts';
import { nodeKey, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

/** I6. Revisions of a service's orders rise strictly, and an agent obeys no lower one. */
export function revisionsRise(docket: Docket): Rule {
  const orders = new Map<string, { readonly revision: number; readonly order: unknown }>();
  const obeyed = new Map<string, number>();

  return {
    see(entry) {
      if (entry.kind === 'wave') {
        const { region, service } = entry.wave;
        seeOrder(entry.sequence, `wave of ${service} in ${region}`, entry.revision, entry.wave);
      } else if (entry.kind === 'halt') {
        seeOrder(entry.sequence, `halt of ${entry.service}`, entry.revision, entry.halt);
      } else if (entry.kind === 'report' && entry.report.status === 'updating') {
        const { report } = entry;
        const revision = report.warrant?.waveRevision ?? 0;
        const highest = obeyed.get(nodeKey(report)) ?? 0;
        if (highest > 0) docket.judged();
        if (revision < highest) {
          docket.violation(entry.sequence, `${who(report)} obeyed wave ${revision} after wave ${highest}`);
        }
        obeyed.set(nodeKey(report), Math.max(revision, highest));
      }
    },
  };

  function seeOrder(sequence: number, name: string, revision: number, order: unknown): void {
    const last = orders.get(name);
    if (last !== undefined) docket.judged();
    // The very same order once more is a reader's or a server's repetition.
    const isRepeated = last?.revision === revision && sameValue(last.order, order);
    if (last !== undefined && !isRepeated && revision <= last.revision)
      docket.violation(
        sequence,
        `the ${name} was stored as revision ${revision} after revision ${last.revision}`,
      );
    if (last === undefined || revision > last.revision) orders.set(name, { revision, order });
  }
}
