import type { NodeReport } from '../report.ts';
import { type Evidence, nodeKey, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

/**
 * I9, as far as a log shows it: the image that runs after an attempt is the one that its result speaks of. Who was not well
 * on a release that cannot be undone runs it to the end of that attempt, however it ends.
 */
export function resultsMatchImages(evidence: Evidence, docket: Docket): Rule {
  /** Attempts after which there was no way back, as their nodes said. */
  const stayed = new Set<string>();

  return {
    see(entry) {
      if (entry.kind !== 'report') return;
      const { report, sequence } = entry;
      if (report.status === 'unhealthy') seeUnhealthy(sequence, report);
      if (!['healthy', 'failed', 'returned'].includes(report.status)) return;
      docket.later(() => {
        const problem = imageProblem(report);
        if (problem !== undefined) docket.violation(sequence, `${who(report)} says ${problem}`);
      });
    },
  };

  function seeUnhealthy(sequence: number, report: NodeReport): void {
    stayed.add(attemptOf(report));
    docket.later(() => {
      const { service, rollout } = report;
      if (evidence.digestOf(service, rollout) === undefined) return;
      docket.judged();
      if (evidence.isIrreversible(service, rollout)) return;
      docket.violation(
        sequence,
        `${who(report)} stays on rollout ${rollout}, which can be undone, and is not well`,
      );
    });
  }

  function imageProblem(report: NodeReport): string | undefined {
    const { service, rollout, status, running } = report;
    const digest = evidence.digestOf(service, rollout);
    if (digest === undefined) return undefined;
    docket.judged();
    if (status === 'failed' && stayed.has(attemptOf(report))) {
      return running === digest
        ? undefined
        : `failed of rollout ${rollout}, which cannot be undone, and runs ${running ?? 'an image without a digest'}`;
    }
    if (status === 'returned' && evidence.isIrreversible(service, rollout))
      return `returned from rollout ${rollout}, which cannot be undone`;
    if (status === 'healthy') {
      return running === digest
        ? undefined
        : `healthy of rollout ${rollout} (${digest}) and runs ${running ?? 'an image without a digest'}`;
    }
    return running === digest ? `${status} of rollout ${rollout} and still runs ${digest}` : undefined;
  }
}

function attemptOf(report: NodeReport): string {
  return `${nodeKey(report)}/${report.attempt ?? ''}`;
}
