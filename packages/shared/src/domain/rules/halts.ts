import type { LogEntry } from '../log.ts';
import type { NodeId, Region, ServiceName } from '../names.ts';
import type { NodeReport } from '../report.ts';
import type { Halt } from '../wave.ts';
import { type Evidence, nodeKey, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

interface StoredHalt {
  readonly sequence: number;
  readonly revision: number;
  readonly atMs: number;
  readonly halt: Halt;
}

/**
 * I5. After a halt nobody who could know of it starts, and every node that was on it goes back, or says why not. Where the
 * newest word about it lets them stay, only who was in the middle goes back; and from what cannot be undone nobody who has
 * begun it.
 */
export function haltsHold(evidence: Evidence, docket: Docket, toleranceMs: number): Rule {
  /** Of each service, and of a scope's of each of its regions, by rollout. */
  const halts = new Map<string, Map<number, StoredHalt>>();
  /** Where each node has come to, by its last word on more than its staging. */
  const positions = new Map<string, NodeReport>();

  return {
    see(entry) {
      if (entry.kind === 'halt') seeHalt(entry.service, entry);
      // A scope's leader says it in the waves of its own regions.
      if (entry.kind === 'wave') seeHalt(placeOf(entry.wave), { ...entry, halt: entry.wave.halt });
      if (entry.kind !== 'report' || !tellsPosition(entry.report)) return;
      const { report } = entry;
      positions.set(nodeKey(report), report);
      if (report.status === 'updating') docket.later(() => judgeStart(entry, report));
    },
    atRest(gone: ReadonlySet<NodeId>) {
      for (const report of positions.values()) {
        const halted = haltOf(report);
        if (halted === undefined || gone.has(report.node)) continue;
        docket.judged();
        const isOnIt = report.status === 'healthy' || report.status === 'unhealthy';
        if (hasLeft(report) || (halted.halt.stay === true && isOnIt)) continue;
        docket.violation(
          halted.sequence,
          `${who(report)} is still ${report.status} on rollout ${report.rollout}, which was halted at revision ${halted.revision}`,
        );
      }
    },
  };

  function haltOf(report: NodeReport): StoredHalt | undefined {
    const { service, rollout } = report;
    return halts.get(service)?.get(rollout) ?? halts.get(placeOf(report))?.get(rollout);
  }

  /** One place holds the newest halt: a halt of an earlier rollout in it, or none, says that the later were lifted. */
  function seeHalt(
    place: string,
    { sequence, revision, atMs, halt }: Omit<StoredHalt, 'halt'> & { readonly halt?: Halt | undefined },
  ): void {
    const known = halts.get(place) ?? new Map<number, StoredHalt>();
    halts.set(place, known);
    for (const rollout of known.keys()) if (rollout > (halt?.rollout ?? 0)) known.delete(rollout);
    if (halt === undefined) return;
    if (evidence.isIrreversible(halt.service, halt.rollout)) {
      docket.judged();
      if (halt.stay !== true)
        docket.violation(
          sequence,
          `the halt of rollout ${halt.rollout} of ${halt.service} at revision ${revision} takes nodes back from what cannot be undone`,
        );
    }
    const first = known.get(halt.rollout) ?? { sequence, revision, atMs };
    known.set(halt.rollout, { ...first, halt });
  }

  function judgeStart(entry: LogEntry, report: NodeReport): void {
    const { region, service, rollout, warrant } = report;
    const halted = haltOf(report);
    if (halted === undefined || warrant === undefined) return;
    docket.judged();
    // Waves and halts lie in one bucket: their revisions tell which was first.
    if (warrant.waveRevision > halted.revision) {
      docket.violation(
        entry.sequence,
        `${who(report)} started rollout ${rollout} by wave ${warrant.waveRevision}, after its halt at revision ${halted.revision}`,
      );
      return;
    }
    const tenure = evidence.tenure({ region, service, slot: warrant.slot }, warrant.fence);
    if (typeof tenure !== 'object' || tenure.claimedAtMs <= halted.atMs + toleranceMs) return;
    docket.violation(
      entry.sequence,
      `${who(report)} started rollout ${rollout} by a slot that it claimed ${tenure.claimedAtMs - halted.atMs} ms after its halt`,
    );
  }
}

function placeOf({ region, service }: { readonly region: Region; readonly service: ServiceName }): string {
  return `${region}/${service}`;
}

function tellsPosition({ status }: NodeReport): boolean {
  return status !== 'staged' && status !== 'stage-failed' && status !== 'refused';
}

function hasLeft({ status }: NodeReport): boolean {
  return status === 'failed' || status === 'returned' || status === 'kept' || status === 'interrupted';
}
