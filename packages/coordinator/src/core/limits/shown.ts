/** What a service shows to those that depend on it. */

import type { Dependency } from '@swell/shared/domain/dependency.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import { LAST } from '@swell/shared/domain/rank.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { regionGroups } from '../stage/regions.ts';
import { policyOf, policyUnder, type ServiceState } from '../state.ts';
import type { Numbered, Others, ServiceStanding } from './others.ts';

/** What is known once a service's state was saved. The same where that says nothing new. */
export function withShown(others: Others, before: ServiceState, after: ServiceState): Others {
  if (before.record === after.record && before.ready === after.ready) return others;
  const { service } = after;
  const standing = after.ready ? standingOf(after) : undefined;
  if (sameValue(others.get(service), standing)) return others;
  const next = new Map(others);
  if (standing === undefined) next.delete(service);
  else next.set(service, standing);
  return next;
}

function standingOf(state: ServiceState): ServiceStanding {
  const { candidate, rollout, settled } = state.record;
  return {
    dependsOn: dependenciesOf(state),
    ...(candidate !== undefined && { waiting: numbered(candidate) }),
    ...(rollout !== undefined && { rollout: standingOfRollout(state, rollout) }),
    settled: settled.map(numbered),
  };
}

function dependenciesOf({ record }: ServiceState): readonly Dependency[] {
  const { candidate, rollout } = record;
  const all = [
    policyUnder(record, {}),
    ...(candidate === undefined ? [] : [policyUnder(record, candidate.overrides)]),
    ...(rollout !== undefined && isUnderWay(rollout) ? [policyOf({ record })] : []),
  ].flatMap(({ dependsOn = [] }) => dependsOn);
  // As a whole, where one of them asks for that.
  const first = all.toSorted((a, b) => (a.per === b.per ? 0 : a.per === 'fleet' ? -1 : 1));
  return first.filter((one, index) => first.findIndex(({ service }) => service === one.service) === index);
}

function standingOfRollout(state: ServiceState, rollout: Rollout): NonNullable<ServiceStanding['rollout']> {
  const { phase, release } = rollout;
  const goesBack = phase.name === 'halting';
  return {
    ...numbered(release),
    is: isUnderWay(rollout) ? 'under way' : goesBack ? 'halting' : 'over',
    ...('reason' in phase && { reason: phase.reason }),
    through: throughRegions(state, rollout),
  };
}

/**
 * Those that have had their turn. One whose turn it is has been watched for long enough only where nothing but a word is
 * waited for; and one whose turn comes later may have everybody let in, by a policy that grouped it otherwise.
 */
function throughRegions(
  state: ServiceState,
  { phase, grouping, group, regions }: Rollout,
): readonly Region[] {
  const had = regionGroups(state, grouping).slice(0, phase.name === 'gated' ? group + 1 : group);
  return had
    .flatMap((one) => one.regions)
    .filter((region) => regions[region]?.cursor === LAST)
    .sort();
}

function numbered({ rollout, train }: { readonly rollout: number; readonly train?: string }): Numbered {
  return { number: rollout, ...(train !== undefined && { train }) };
}
