/** What the operator writes into the policy bucket; one that does not parse changes nothing (I13). */

import type { Place } from '@swell/shared/domain/place.ts';
import { layeredPolicy, type PolicyLayer, policyProblems } from '@swell/shared/domain/policy.ts';
import { isUnderWay, type StandingPolicy } from '@swell/shared/domain/rollout.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { keepHolds } from './admission/holds.ts';
import { cycleProblems } from './limits/dependencies.ts';
import { keepPace } from './limits/pace.ts';
import { type ServiceState, withRecord } from './state.ts';
import { markOf } from './taken.ts';
import { type Saying, tell } from './tell.ts';

/** The record remembers what is in force: a new leader that reads a policy again has nothing to decide or to tell. */
export function takePolicy(state: ServiceState, at: Place, parsed: Parsed<PolicyLayer>): ServiceState {
  if (isRead(state, at)) return state;
  const problems = parsed.ok ? problemsOf(state, parsed.value) : parsed.problems;
  if (parsed.ok && problems.length === 0) {
    return replace(
      state,
      { ...at, layer: parsed.value },
      { name: 'policy-accepted', line: `the policy of ${state.service} is in force${hintOf(state)}` },
    );
  }
  const line = `the policy of ${state.service} is rejected, the last good one stays: ${problems.join('; ')}`;
  return replace(state, { ...state.record.policy, ...at }, { name: 'policy-rejected', problems, line });
}

export function withoutPolicy(state: ServiceState, at: Place): ServiceState {
  if (isRead(state, at)) return state;
  const line = `the policy of ${state.service} is deleted: the defaults are in force`;
  return replace(state, at, { name: 'policy-accepted', line });
}

/** Whoever mistypes a name has a policy that nobody ever needs. */
function hintOf({ census, service }: ServiceState): string {
  const isRun = [...census.values()].some((nodes) => nodes.size > 0);
  return isRun ? '' : `, and nobody has heard of a node that runs ${service} yet`;
}

function isRead({ record: { policy } }: ServiceState, { sequence, storedAtMs }: Place): boolean {
  return policy?.sequence === sequence && policy.storedAtMs === storedAtMs;
}

function replace(state: ServiceState, policy: StandingPolicy, saying: Saying): ServiceState {
  const told = tell(keepPace(state, withRecord(state, { policy })), {
    ...saying,
    mark: markOf(policy),
    revision: policy.sequence,
  });
  return keepHolds(state, told);
}

/** By itself, and under what the present rollout and the next one bring along. */
function problemsOf(state: ServiceState, layer: PolicyLayer): readonly string[] {
  const { rollout, candidate } = state.record;
  const alone = [...policyProblems(layeredPolicy(layer)), ...cycleProblems(state, layer)];
  if (alone.length > 0) return alone;
  return [
    ...(rollout !== undefined && isUnderWay(rollout) ? [rollout.release] : []),
    ...(candidate === undefined ? [] : [candidate]),
  ].flatMap((one) => {
    const overrides = one === candidate ? candidate.overrides : (rollout?.overrides ?? {});
    return policyProblems(layeredPolicy(layer, overrides)).map(
      (problem) => `with the policy that release ${one.rollout} brings along: ${problem}`,
    );
  });
}
