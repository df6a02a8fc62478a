import type { LogEntry } from '../log.ts';
import type { NodeId } from '../names.ts';
import { isResult, type NodeReport, type NodeStatus } from '../report.ts';
import { type Evidence, nodeKey, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

const UNDER_WAY: readonly NodeStatus[] = ['updating', 'returning', 'stuck', 'unhealthy'];

interface Attempt {
  readonly sequence: number;
  readonly first: NodeReport;
  /** It was not well on a release that cannot be undone, when last heard. */
  isUnhealthy?: boolean;
  result?: NodeReport;
}

/**
 * I8. Every attempt ends in exactly one reported result, however often the agent dies. One that has brought a release that
 * cannot be undone, and has said that it is not well, may still be open when all is at rest.
 */
export function attemptsEndOnce(evidence: Evidence, docket: Docket): Rule {
  const attempts = new Map<string, Attempt>();

  return {
    see(entry) {
      if (entry.kind !== 'report') return;
      const { report } = entry;
      const { status } = report;
      const isUnderWay = UNDER_WAY.includes(status);
      if (report.attempt === undefined || !(isUnderWay || isResult(status))) return;
      seeAttempt(entry, report, report.attempt);
    },
    atRest(gone: ReadonlySet<NodeId>) {
      for (const { sequence, first, result, isUnhealthy } of attempts.values()) {
        if (gone.has(first.node)) continue;
        docket.judged();
        const mayBeOpen = isUnhealthy === true && evidence.isIrreversible(first.service, first.rollout);
        if (result !== undefined || mayBeOpen) continue;
        docket.violation(
          sequence,
          `${who(first)} never said how attempt ${first.attempt} at rollout ${first.rollout} ended`,
        );
      }
    },
  };

  function seeAttempt({ sequence }: LogEntry, report: NodeReport, name: string): void {
    const key = `${nodeKey(report)}/${name}`;
    const attempt: Attempt = attempts.get(key) ?? { sequence, first: report };
    attempts.set(key, attempt);
    docket.judged();
    if (attempt.result !== undefined) {
      docket.violation(
        sequence,
        `${who(report)} says ${report.status} of attempt ${name}, which had ended as ${attempt.result.status}`,
      );
    } else if (isResult(report.status)) {
      attempt.result = report;
    } else if (report.status === 'unhealthy') {
      attempt.isUnhealthy = true;
    }
  }
}
