import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { ServiceState } from './state.ts';
import { tell } from './tell.ts';

/** Failures are told in the coordinator's own events, so that whoever tails those alone misses none. */
export function tellFailures(state: ServiceState, reports: readonly NodeReport[]): ServiceState {
  if (!state.ready) return state;
  return reports
    .filter(({ status }) => status === 'failed')
    .reduce(
      (told, { rollout, region, node, attempt, reason }) =>
        tell(told, {
          name: 'node-failed',
          mark: `${node}.${attempt ?? ''}`,
          rollout,
          region,
          node,
          line: `${node} in ${region} failed rollout ${rollout} of ${state.service}: ${reason ?? 'without a reason'}`,
        }),
      state,
    );
}
