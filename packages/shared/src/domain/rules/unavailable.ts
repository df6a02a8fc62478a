import type { LogEntry } from '../log.ts';
import type { NodeId } from '../names.ts';
import { isResult, type NodeReport } from '../report.ts';
import { type Evidence, nodeKey, slotProblem, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';
import { mostAtOnce, type Span } from './spans.ts';

/** A region and service as its nodes' own reports tell it, which come from one stream and are in order. */
interface Place {
  /** Nodes between a start and its result. */
  readonly out: Map<NodeId, NodeReport>;
  /** The newest wave that a start went by, and its slots. */
  revision: number;
  limit: number;
  /** What may be out: the limit, or as many as were out when it shrank, until they are few enough. */
  ceiling: number;
}

/**
 * I1. At any instant, per region and service, at most `slots` nodes are out of rotation by our doing. A node that has
 * failed and goes back was out already; one whose lease ran out and whose slot was cleared is charged to the budget.
 *
 * A node is out from its start to its result. Who had given up his slot before another one's claim was back by then, even
 * if the log has his result behind the other's start; whose result does not come in time gave it up too early.
 */
export function limitsUnavailable(evidence: Evidence, docket: Docket): Rule {
  const places = new Map<string, Place>();
  const failed = new Set<string>();
  const ended = new Set<string>();

  return {
    see(entry) {
      if (entry.kind !== 'report') return;
      const { report } = entry;
      const place = placeOf(places, report);
      if (isResult(report.status)) {
        ended.add(attemptKey(report));
        if (place.out.get(report.node)?.attempt === report.attempt) place.out.delete(report.node);
        if (report.status === 'failed') failed.add(nodeKey(report));
        else failed.delete(nodeKey(report));
      } else if (report.status === 'updating' || report.status === 'returning') {
        if (report.status === 'returning' && failed.has(nodeKey(report))) return;
        seeStart(place, entry, report);
      }
    },
  };

  function seeStart(place: Place, entry: LogEntry, report: NodeReport): void {
    const before = place.out.get(report.node);
    // Turned back half-way: it is out already, and goes back in the slot that it holds.
    if (before !== undefined && before.attempt === report.attempt && report.warrant === undefined) return;
    docket.judged();
    docket.later(() => judgeSlot(entry, report));
    const allowed = adjusted(place, place.out.size - (before === undefined ? 0 : 1), report);
    place.out.set(report.node, report);
    if (allowed !== undefined && place.out.size <= allowed) return;
    const out = [...place.out.values()];
    docket.later(() => judgeStart(entry, report, out, allowed));
  }

  /** What the place allows this start; `undefined`: its wave has not come into the log yet. */
  function adjusted(place: Place, others: number, report: NodeReport): number | undefined {
    const revision = report.warrant?.waveRevision;
    if (revision === undefined) return place.ceiling;
    const stored = evidence.wave(report.region, report.service, revision);
    if (stored === undefined || stored === 'before-log') return undefined;
    const { slots } = stored.wave;
    if (revision < place.revision) return Math.max(place.ceiling, slots);
    if (slots < place.limit) place.ceiling = Math.max(slots, others);
    if (slots > place.limit || others <= slots) place.ceiling = slots;
    place.revision = revision;
    place.limit = slots;
    return place.ceiling;
  }

  function judgeStart(
    entry: LogEntry,
    report: NodeReport,
    out: readonly NodeReport[],
    known: number | undefined,
  ): void {
    const stored = evidence.wave(report.region, report.service, report.warrant?.waveRevision ?? 0);
    const allowed = known ?? (typeof stored === 'object' ? stored.wave.slots : undefined);
    if (allowed === undefined) return;
    const counted = mostAtOnce(spanOf(report), out.map(spanOf));
    if (counted.length <= allowed) return;
    const names = counted.map(({ node }) => node).join(', ');
    docket.violation(
      entry.sequence,
      `${who(report)} went out of rotation as number ${counted.length} where ${allowed} may be out: ${names}`,
    );
  }

  function spanOf(report: NodeReport): Span {
    const { region, service, node, warrant } = report;
    const tenure = warrant && evidence.tenure({ region, service, slot: warrant.slot }, warrant.fence);
    if (typeof tenure !== 'object') return { node, from: 0, to: Number.POSITIVE_INFINITY };
    const isBack = evidence.wasDeclaredLost(tenure) || ended.has(attemptKey(report));
    const to = isBack ? tenure.ended?.revision : undefined;
    return { node, from: tenure.claimed, to: to ?? Number.POSITIVE_INFINITY };
  }

  /** A slot that the wave does not have, or that the node does not hold (of an update, that is for I2 to say). */
  function judgeSlot(entry: LogEntry, report: NodeReport): void {
    const { region, service, warrant, status } = report;
    if (warrant === undefined) return;
    const stored = evidence.wave(region, service, warrant.waveRevision);
    if (typeof stored === 'object' && warrant.slot >= stored.wave.slots) {
      const { slots } = stored.wave;
      docket.violation(
        entry.sequence,
        `${who(report)} went out by slot ${warrant.slot}, where wave ${warrant.waveRevision} has ${slots} from 0 on`,
      );
    }
    const problem = status === 'returning' ? slotProblem(evidence, report) : undefined;
    if (problem !== undefined) docket.violation(entry.sequence, `${who(report)} went back ${problem}`);
  }
}

function attemptKey(report: NodeReport): string {
  return `${nodeKey(report)}/${report.attempt}`;
}

function placeOf(places: Map<string, Place>, { region, service }: NodeReport): Place {
  const key = `${region}/${service}`;
  const place = places.get(key) ?? {
    out: new Map(),
    revision: 0,
    limit: 0,
    ceiling: Number.POSITIVE_INFINITY,
  };
  places.set(key, place);
  return place;
}
