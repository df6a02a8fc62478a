/** Who stays as he is for now? Holds of the policy and of operators, and nodes from whose version the release may not start. */

import type { Hold, HoldRule, NodeChoice } from '@swell/shared/domain/hold.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import { isUnderWay, type ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { isVersionIn } from '@swell/shared/domain/version.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { policyOf, type ServiceState } from '../state.ts';
import { tell } from '../tell.ts';

/** What a region's wave says of nodes that stay as they are. */
export function holdsIn(state: ServiceState, { from }: Release, region: Region): readonly Hold[] {
  const held = rulesOf(state)
    .filter((rule) => rule.region === undefined || rule.region === region)
    .map(({ nodes, label, version, reason }): Hold => {
      const running = version === undefined ? undefined : digestsOf(state.record, [version]);
      return {
        ...(nodes !== undefined && { nodes }),
        ...(label !== undefined && { label }),
        ...(running !== undefined && { running }),
        reason,
      };
    });
  if (from === undefined) return held;
  return [...held, { notRunning: digestsOf(state.record, from), reason: describeFrom(from) }];
}

/** By a word first: its reason is the one that a node gives. */
function rulesOf(state: ServiceState): readonly HoldRule[] {
  return [...state.record.held, ...(policyOf(state).hold ?? [])];
}

/** A version is known by what the fleet has settled on. */
function digestsOf({ settled }: ServiceRecord, versions: readonly string[]): readonly Digest[] {
  return settled.filter(({ version }) => isVersionIn(version, versions)).map(({ image }) => image.digest);
}

/** Told when a rollout begins, and when a policy changes it. */
export function tellHolds(state: ServiceState): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout)) return state;
  const { from } = rollout.release;
  const held = rulesOf(state).map((rule) => `${describeNodes(rule)} (${rule.reason})`);
  const all = from === undefined ? held : [...held, `every other node (${describeFrom(from)})`];
  if (all.length === 0) return state;
  return tell(state, {
    name: 'nodes-held',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service} passes over ${all.join('; ')}`,
  });
}

export function keepHolds(before: ServiceState, after: ServiceState): ServiceState {
  return sameValue(policyOf(before).hold, policyOf(after).hold) ? after : tellHolds(after);
}

export function describeNodes({ nodes, label, region, version }: NodeChoice): string {
  const which = nodes === undefined ? 'nodes' : nodes.join(', ');
  const named = label === undefined ? '' : ` with the label ${label}`;
  const where = region === undefined ? '' : ` in ${region}`;
  const what = version === undefined ? '' : ` on ${version}`;
  return `${which}${named}${where}${what}`;
}

function describeFrom(from: readonly string[]): string {
  return `the release starts from ${from.join(' or ')} alone`;
}
