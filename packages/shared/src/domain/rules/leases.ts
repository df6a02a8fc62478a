import type { LogEntry } from '../log.ts';
import { isResult } from '../report.ts';
import type { Evidence, Tenure } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

/** I7. An expired slot is lost, not free: only its holder gives it up, and only the coordinator clears it, aloud. */
export function slotsAreNotStolen(
  evidence: Evidence,
  docket: Docket,
  toleranceMs: number,
): Rule & { seeSlot(entry: Extract<LogEntry, { kind: 'slot' }>, before: Tenure | undefined): void } {
  /** Attempts that have gone out of rotation, and those that have ended, by the reports of their nodes. */
  const started = new Set<string>();
  const ended = new Set<string>();

  return {
    see(entry) {
      if (entry.kind === 'report') {
        const { region, service, node, attempt, status } = entry.report;
        const key = `${region}/${service}/${node}/${attempt}`;
        if (status === 'updating' || status === 'returning') started.add(key);
        else if (isResult(status)) ended.add(key);
      } else if (entry.kind === 'event') {
        docket.later(() => judgeDeclaration(entry));
      }
    },
    seeSlot(entry, before) {
      if (before === undefined) return;
      docket.judged();
      if (entry.holder === undefined) {
        docket.later(() => judgeDeletion(entry, before));
      } else if (entry.holder.node !== before.holder.node) {
        docket.violation(
          entry.sequence,
          `${entry.holder.node} took ${place(before)} at revision ${entry.revision} from ${before.holder.node}, ` +
            `who held it by revision ${before.revision}`,
        );
      }
    },
  };

  function judgeDeletion(entry: LogEntry, tenure: Tenure): void {
    const { node, attempt, leaseMs } = tenure.holder;
    const idleMs = entry.atMs - tenure.writtenAtMs;
    const key = `${tenure.region}/${tenure.service}/${node}/${attempt}`;
    const expired = idleMs > leaseMs + toleranceMs;
    // A holder that comes back late may still give its slot up: then it also says how its attempt ended.
    if (!expired || evidence.wasDeclaredLost(tenure) || !started.has(key) || ended.has(key)) return;
    docket.violation(
      entry.sequence,
      `${place(tenure)}, lost by ${node} at revision ${tenure.revision}, was cleared without a word ${idleMs} ms after its last renewal`,
    );
  }

  function judgeDeclaration({ sequence, atMs, event }: Extract<LogEntry, { kind: 'event' }>): void {
    const { name, region, service, slot, revision } = event;
    if (name !== 'slot-lost' && name !== 'slot-cleared') return;
    if (region === undefined || slot === undefined || revision === undefined) return;
    const tenure = evidence.tenure({ region, service, slot }, revision);
    if (typeof tenure !== 'object') return;
    docket.judged();
    // Only the last write is known by its time; a write after the one that the event names makes it the more wrong.
    const idleMs = atMs - tenure.writtenAtMs;
    const { leaseMs, node } = tenure.holder;
    if (tenure.revision !== revision || idleMs + toleranceMs >= leaseMs) return;
    docket.violation(
      sequence,
      `${place(tenure)} was taken from ${node} at revision ${revision} ${idleMs} ms after its last renewal, before its lease of ${leaseMs} ms ran out`,
    );
  }
}

function place({ region, service, slot }: Tenure): string {
  return `slot ${slot} of ${service} in ${region}`;
}
