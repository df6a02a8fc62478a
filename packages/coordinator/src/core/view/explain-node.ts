/** B15. Why does this node wait? As far as the coordinator knows; the node itself (`swell.ask.<region>.<node>`) knows more. */

import { heldBy } from '@swell/shared/domain/hold.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { FIRST } from '@swell/shared/domain/rank.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { NodeStanding } from '@swell/shared/domain/standing.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { holdsIn } from '../admission/holds.ts';
import { timeOf } from '../limits/cool-down.ts';
import { describeClosed } from '../limits/windows.ts';
import { isPresent, type NodeFacts } from '../nodes/census.ts';
import { countBelow, presentNodes } from '../nodes/line.ts';
import { hasToReturn, isLost, reportOn, standing } from '../nodes/standing.ts';
import { activeRegions } from '../stage/regions.ts';
import { policyOf, type ServiceState } from '../state.ts';

/** Where nodes of that name are; several where the region was not said. */
export function regionsOf({ census }: ServiceState, node: NodeId, region?: Region): readonly Region[] {
  const named = [...census].filter(([, nodes]) => nodes.has(node)).map(([name]) => name);
  return region === undefined ? named : named.filter((one) => one === region);
}

/** One sentence about a node that is known; `undefined`: it is not. */
export function explainNode(
  state: ServiceState,
  { region, node }: { readonly region: Region; readonly node: NodeId },
  nowMs: number,
): string | undefined {
  const facts = state.census.get(region)?.get(node);
  if (facts === undefined) return undefined;
  const { rollout } = state.record;
  if (!isPresent(facts, nowMs)) return describeAbsence(facts);
  if (rollout === undefined) return 'it is there, and there is no rollout yet';
  if (isLost(facts, rollout.lost))
    return 'it did not renew its slot in time, and counts as failed: is its agent running?';
  if (rollout.phase.name === 'halting' || rollout.phase.name === 'rested')
    return explainAfterHalt(facts, rollout, nowMs);
  return explainStanding(state, facts, rollout, standing(facts, rollout), nowMs);
}

function describeAbsence({ seenAtMs }: NodeFacts): string {
  const since = Number.isFinite(seenAtMs) ? `has not been seen since ${timeOf(seenAtMs)}` : 'is not there';
  return `it ${since}: nobody waits for it, and it follows when it comes back`;
}

function explainAfterHalt(facts: NodeFacts, rollout: Rollout, nowMs: number): string {
  if (hasToReturn(facts, rollout, nowMs)) return `it has to go back from ${rollout.release.version}`;
  const report = reportOn(facts, rollout);
  return report?.reason === undefined
    ? `rollout ${rollout.release.rollout} is halted, and it has nothing to go back from`
    : `it is ${report.status}: ${report.reason}`;
}

function explainStanding(
  state: ServiceState,
  facts: NodeFacts,
  rollout: Rollout,
  is: NodeStanding,
  nowMs: number,
): string {
  const { version } = rollout.release;
  const reason = reportOn(facts, rollout)?.reason ?? 'it did not say why';
  switch (is) {
    case 'updated':
      return `it is on ${version}`;
    case 'failed':
      if (reportOn(facts, rollout)?.status === 'unhealthy')
        return `it is not well on ${version}, which cannot be undone: it stays out of rotation${describeSlot(state, facts)}, until it is, or a newer release comes: ${reason}`;
      return `it failed with ${version}: ${reason}`;
    case 'back':
      return `it is back from ${version}: ${reason}`;
    case 'held':
      return `it could not download ${version}, and tries again: ${reason}`;
    case 'refused':
      return `it does not follow: ${reason}`;
    case 'underway':
      return `it is in the middle of its update to ${version}${describeSlot(state, facts)}`;
    case 'waiting':
    case 'staged':
      return explainWait(state, facts, rollout, is, nowMs);
    default:
      return unreachable(is);
  }
}

function describeSlot(state: ServiceState, { region, node }: NodeFacts): string {
  const held = [...(state.slots.get(region) ?? [])].find(([, { entry }]) => entry.holder?.node === node);
  return held === undefined ? '' : `, with slot ${held[0]} of ${region}`;
}

/** It is there, and has neither begun nor said why not. */
function explainWait(
  state: ServiceState,
  facts: NodeFacts,
  rollout: Rollout,
  is: 'waiting' | 'staged',
  nowMs: number,
): string {
  const { region, node, running, labels } = facts;
  const digests = running === undefined ? [] : [running];
  const held = heldBy(holdsIn(state, rollout.release, region), { node, labels, digests });
  if (held !== undefined) return held;
  if (rollout.phase.name === 'aborted') return 'the rollout was aborted: it stays as it is';
  if (rollout.phase.name === 'settled')
    return `its turn has come: the fleet is on ${rollout.release.version}`;
  if (rollout.paused !== undefined) return `the rollout is paused: ${rollout.paused.reason}`;
  const nodes = presentNodes(state.census, region, nowMs);
  const {
    cursor,
    stageBelow,
    slots,
    outdated = [],
  } = { cursor: FIRST, stageBelow: FIRST, slots: 0, ...rollout.regions[region] };
  // Who is below the minimum version has his turn wherever he stands in the line.
  const isAdmitted = facts.rank < cursor || outdated.includes(node);
  const place = `it is number ${nodes.indexOf(facts) + 1} of ${nodes.length} in the line of ${region}`;
  const [admitted, drawn] = [countBelow({ nodes }, cursor), countBelow({ nodes }, stageBelow)];
  const begins = isAdmitted || facts.rank < stageBelow;
  if (!begins && isUnderWay(rollout) && !activeRegions(state, rollout).includes(region))
    return `the turn of ${region} has not come`;
  if (!begins) return `${place}, and the present stage takes in the first ${drawn}`;
  const shut = describeShut(state, rollout, region, nowMs);
  if (!isAdmitted) {
    const has = is === 'staged' ? 'it has the image at hand' : 'it has to download the image';
    return `${has}; ${place}, and ${shut ?? `the first ${admitted} are admitted`}`;
  }
  if (shut !== undefined) return shut;
  if (is === 'waiting') return 'it is admitted, and has not said that it has the image at hand';
  const taken = [...(state.slots.get(region)?.values() ?? [])].filter(
    ({ entry }) => entry.holder !== undefined,
  );
  return taken.length >= slots
    ? `it is admitted, and waits for one of the ${slots} slots of ${region}`
    : 'it is admitted, and its turn has come';
}

/** Why nobody starts in a region, also who is admitted; `undefined`: nothing of that kind. */
function describeShut(
  state: ServiceState,
  { closed, awaiting }: Rollout,
  region: Region,
  nowMs: number,
): string | undefined {
  if (closed.includes(region)) return describeClosed(policyOf(state), region, nowMs);
  return awaiting?.regions.includes(region) === true
    ? `nobody starts in ${region}, it waits for ${awaiting.reason}`
    : undefined;
}
