import type { NodeReport } from '../report.ts';
import { type Evidence, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

/** I9, as far as a log shows it: the image that runs after an attempt is the one that its result speaks of. */
export function resultsMatchImages(evidence: Evidence, docket: Docket): Rule {
  return {
    see(entry) {
      if (entry.kind !== 'report') return;
      const { report, sequence } = entry;
      if (!['healthy', 'failed', 'returned'].includes(report.status)) return;
      docket.later(() => {
        const problem = imageProblem(report);
        if (problem !== undefined) docket.violation(sequence, `${who(report)} says ${problem}`);
      });
    },
  };

  function imageProblem({ service, rollout, status, running }: NodeReport): string | undefined {
    const digest = evidence.digestOf(service, rollout);
    if (digest === undefined) return undefined;
    docket.judged();
    if (status === 'healthy') {
      return running === digest
        ? undefined
        : `healthy of rollout ${rollout} (${digest}) and runs ${running ?? 'an image without a digest'}`;
    }
    return running === digest ? `${status} of rollout ${rollout} and still runs ${digest}` : undefined;
  }
}
