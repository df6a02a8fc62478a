/** What the operator writes into the policy bucket; one that does not parse changes nothing (I13). */

import { layeredPolicy, type PolicyLayer, policyProblems } from '@swell/shared/domain/policy.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import type { ServiceState } from './state.ts';
import { tell } from './tell.ts';

export function takePolicy(state: ServiceState, revision: number, parsed: Parsed<PolicyLayer>): ServiceState {
  const problems = parsed.ok ? policyProblems(layeredPolicy(parsed.value)) : parsed.problems;
  if (!parsed.ok || problems.length > 0) {
    const line = `the policy of ${state.service} is rejected, the last good one stays: ${problems.join('; ')}`;
    return tell(state, { name: 'policy-rejected', mark: revision, revision, problems, line });
  }
  const accepted = { ...state, policyLayer: parsed.value };
  // Read again by a new leader: nothing that anybody has to be told.
  if (!state.ready) return accepted;
  const line = `the policy of ${state.service} is in force`;
  return tell(accepted, { name: 'policy-accepted', mark: revision, revision, line });
}

export function withoutPolicy(state: ServiceState): ServiceState {
  const { policyLayer: _, ...rest } = state;
  return rest;
}
