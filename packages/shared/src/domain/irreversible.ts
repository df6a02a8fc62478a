/** A release that cannot be undone goes into fewer nodes first, and never beside what was there before it. */

import type { Policy } from './policy.ts';

export function policyOfIrreversible(policy: Policy): Policy {
  const [first = 100, ...more] = policy.stagesPercent;
  return { ...policy, stagesPercent: [first / 4, first / 2, first, ...more], maxSurge: 0 };
}
