import type { LogEntry } from '../log.ts';
import type { NodeId } from '../names.ts';
import { isResult, type NodeReport } from '../report.ts';
import { nodeKey, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

interface Attempt {
  readonly sequence: number;
  readonly first: NodeReport;
  result?: NodeReport;
}

/** I8. Every attempt ends in exactly one reported result, however often the agent dies. */
export function attemptsEndOnce(docket: Docket): Rule {
  const attempts = new Map<string, Attempt>();

  return {
    see(entry) {
      if (entry.kind !== 'report') return;
      const { report } = entry;
      const { status } = report;
      const isUnderWay = status === 'updating' || status === 'returning' || status === 'stuck';
      if (report.attempt === undefined || !(isUnderWay || isResult(status))) return;
      seeAttempt(entry, report, report.attempt);
    },
    atRest(gone: ReadonlySet<NodeId>) {
      for (const { sequence, first, result } of attempts.values()) {
        if (gone.has(first.node)) continue;
        docket.judged();
        if (result !== undefined) continue;
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
    }
  }
}
