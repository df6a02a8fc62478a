/**
 * B15. Why does it not go on right now? Every reason that holds, in the order in which `advance` would meet them: the first
 * is the answer. A new answer to "may it go on?" gets its line here.
 */

import type { NodeId } from '@swell/shared/domain/names.ts';
import { nextOpenIn, type Policy } from '@swell/shared/domain/policy.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { activeLines } from '../advance.ts';
import { timeOf, waitOf } from '../limits/cool-down.ts';
import { judgeGates } from '../limits/gates.ts';
import { nextPacedMs } from '../limits/pace.ts';
import { describeClosed } from '../limits/windows.ts';
import { countBelow, countStanding, type Line, nodesStanding } from '../nodes/line.ts';
import { isCensusComplete, LOOK_OUT_MS } from '../nodes/look-out.ts';
import { hasToReturn, isAwaited } from '../nodes/standing.ts';
import { countAttempts } from '../nodes/tally.ts';
import { isHaltStanding } from '../orders.ts';
import { describePlace } from '../stage/places.ts';
import { activeRegions } from '../stage/regions.ts';
import { soakOf } from '../stage/soak.ts';
import { type ActiveRegion, awaitsTime, judgeStage, judgeStaging, missingNodes } from '../stage/verdict.ts';
import { policyOf, type ServiceState } from '../state.ts';
import { nameNodes } from '../words/pausing.ts';
import { isInTheMiddle, isStaying } from '../words/staying.ts';

export type Because =
  | 'record-set-back'
  | 'nothing-released'
  | 'over'
  | 'halting'
  | 'paused'
  | 'looking-out'
  | 'staging'
  | 'window'
  | 'dependency'
  | 'slots'
  | 'nodes'
  | 'refusals'
  | 'pace'
  | 'soak'
  | 'gates'
  | 'approval'
  | 'registry'
  | 'wait'
  | 'nothing';

export interface Reason {
  readonly because: Because;
  /** One sentence. */
  readonly line: string;
  /** When it ends by itself, where that is known. */
  readonly untilMs?: number;
}

interface Look {
  readonly state: ServiceState;
  readonly rollout: Rollout;
  readonly policy: Policy;
  /** The regions whose turn it is. */
  readonly regions: readonly ActiveRegion[];
  readonly nowMs: number;
}

type Asked = (look: Look) => (Omit<Reason, 'line'> & { readonly why: string }) | undefined;

/** Never empty. */
export function explain(state: ServiceState, nowMs: number): readonly [Reason, ...Reason[]] {
  const { rollout } = state.record;
  const ofRollout = rollout === undefined ? [] : reasonsOf(state, rollout, nowMs);
  const ofCandidate = explainCandidate(state, nowMs);
  const isMoving = rollout !== undefined && (isUnderWay(rollout) || rollout.phase.name === 'halting');
  const [first, ...more] = [
    ...explainSetBack(state),
    ...(isMoving ? [...ofRollout, ...ofCandidate] : [...ofCandidate, ...ofRollout]),
  ];
  return [first ?? nothingReleased(state), ...more];
}

function nothingReleased({ service }: ServiceState): Reason {
  return { because: 'nothing-released', line: `nothing of ${service} was released yet` };
}

function explainSetBack({ service, isSetBack }: ServiceState): readonly Reason[] {
  if (isSetBack !== true) return [];
  const line = `the record of ${service} is older than its orders: a person has to decide (OPERATIONS)`;
  return [{ because: 'record-set-back', line }];
}

/** A release that has not begun. */
export function explainCandidate(state: ServiceState, nowMs: number): readonly Reason[] {
  const { candidate } = state.record;
  if (candidate === undefined) return [];
  const release = `release ${candidate.rollout} of ${state.service}`;
  const reasons: Reason[] = [];
  const { why, untilMs } = lookOut(state);
  if (!isCensusComplete(state, nowMs))
    reasons.push({ because: 'looking-out', line: `${release}: ${why}`, untilMs });
  const wait = waitOf(state.record, candidate);
  if (candidate.digest === undefined) {
    const againAtMs = state.resolving?.againAtMs;
    const when =
      againAtMs === undefined ? 'is asked' : `did not answer, and is asked again at ${timeOf(againAtMs)}`;
    reasons.push({ because: 'registry', line: `${release}: its registry ${when} for its digest` });
  } else if (wait !== undefined && nowMs < wait.untilMs) {
    const line = `${release} begins at ${timeOf(wait.untilMs)}, after ${wait.why}`;
    reasons.push({ because: 'wait', line, untilMs: wait.untilMs });
  } else if (candidate.waitsFor !== undefined) {
    reasons.push({ because: 'dependency', line: `${release} waits for ${candidate.waitsFor}` });
  }
  return reasons;
}

function reasonsOf(state: ServiceState, rollout: Rollout, nowMs: number): readonly Reason[] {
  const policy = policyOf(state);
  const look: Look = { state, rollout, policy, regions: activeLines(state, rollout, nowMs), nowMs };
  const { release } = rollout;
  const found = (isUnderWay(rollout) ? UNDER_WAY : STOPPED).flatMap((ask) => ask(look) ?? []);
  const reasons = found.map(({ why, ...reason }) => ({
    ...reason,
    line: `rollout ${release.rollout} of ${state.service} (${release.version}): ${why}`,
  }));
  if (reasons.length > 0) return reasons;
  const line = `rollout ${release.rollout} of ${state.service} (${release.version}): nothing holds it, it goes on`;
  return [{ because: 'nothing', line }];
}

const explainOver: Asked = ({ state, rollout }) => {
  const { phase, release } = rollout;
  if (phase.name === 'settled')
    return { because: 'over', why: `it has settled, the fleet is on ${release.version}` };
  if (phase.name === 'aborted') return { because: 'over', why: `it was aborted: ${phase.reason}` };
  if (phase.name !== 'rested') return undefined;
  const who = isStaying(state.record, rollout)
    ? 'who is on it stays'
    : 'every node that is there has gone back';
  return { because: 'over', why: `it was halted, and ${who}: ${phase.reason}` };
};

const explainHalting: Asked = ({ state, rollout, nowMs }) => {
  if (rollout.phase.name !== 'halting') return undefined;
  if (!isHaltStanding(state)) return { because: 'halting', why: 'the halt is on its way to the bus' };
  const stays = isStaying(state.record, rollout);
  const awaited = [...state.census.values()].flatMap((nodes) =>
    [...nodes.values()].filter((facts) => (stays ? isInTheMiddle : hasToReturn)(facts, rollout, nowMs)),
  );
  const whom = awaited.length === 0 ? 'somebody in the middle of it' : nameNodes(awaited);
  return {
    because: 'halting',
    why: `it is halted (${rollout.phase.reason}), and ${whom} has still to ${stays ? 'end what it does' : 'go back'}`,
  };
};

const explainPause: Asked = ({ rollout: { paused } }) =>
  paused && {
    because: 'paused',
    why: `it is paused since ${timeOf(paused.sinceMs)}, and the word "resume" lets it go on: ${paused.reason}`,
  };

const explainLookOut: Asked = ({ state, nowMs }) =>
  isCensusComplete(state, nowMs) ? undefined : { because: 'looking-out', ...lookOut(state) };

function lookOut({ readAtMs }: ServiceState): { readonly why: string; readonly untilMs: number } {
  const untilMs = readAtMs + LOOK_OUT_MS;
  return {
    why: `a coordinator has begun to lead, and waits until ${timeOf(untilMs)} for every node to show itself`,
    untilMs,
  };
}

const explainStaging: Asked = ({ state, rollout, policy, regions }) => {
  const verdict = rollout.phase.name === 'staging' ? judgeStaging(regions, policy) : undefined;
  if (verdict?.is !== 'pending') return undefined;
  const nodes = regions.reduce((sum, { line, progress }) => sum + countBelow(line, progress.stageBelow), 0);
  const why =
    nodes === 0
      ? `no node of ${activeRegions(state, rollout).join(', ') || 'any region'} is there`
      : `${verdict.steps} of ${nodes} nodes of ${describePlace(state, rollout)} have downloaded it, ` +
        `${policy.stagingQuorumPercent} % must; it waits for ${nameNodes(missingNodes(rollout, regions))}`;
  return { because: 'staging', why };
};

const explainWindows: Asked = ({ rollout, regions, policy, nowMs }) => {
  const isWaiting = rollout.phase.name === 'staging' || rollout.phase.name === 'rolling';
  const shut = rollout.closed.filter((region) =>
    regions.some(({ line }) => line.nodes[0]?.region === region),
  );
  if (!isWaiting || shut.length === 0) return undefined;
  const opens = shut.flatMap((region) => nextOpenIn(policy, region, nowMs) ?? []);
  return {
    because: 'window',
    why: `${shut.map((region) => describeClosed(policy, region, nowMs)).join(', ')}: nobody starts there`,
    ...(opens.length > 0 && { untilMs: Math.min(...opens) }),
  };
};

const explainDependencies: Asked = ({ rollout: { awaiting } }) =>
  awaiting && {
    because: 'dependency',
    why: `nobody starts in ${awaiting.regions.join(', ')}, it waits for ${awaiting.reason}`,
  };

const explainSlots: Asked = ({ state, rollout, regions }) => {
  if (rollout.phase.name !== 'rolling') return undefined;
  for (const { line, progress } of regions) {
    const [region] = line.nodes.map((facts) => facts.region);
    const waiting = countStanding(line, countBelow(line, progress.cursor), (is) => is === 'staged');
    const holders = [...(state.slots.get(region ?? '')?.values() ?? [])].flatMap(
      ({ entry }) => entry.holder?.node ?? [],
    );
    if (waiting === 0 || holders.length < progress.slots) continue;
    const all = progress.slots === 1 ? 'the only slot' : `each of the ${progress.slots} slots`;
    const why = `${all} of ${region} is held, by ${holders.slice(0, 5).join(', ')}: ${waiting} admitted nodes wait for one${describeUnhealthy(line, holders)}`;
    return { because: 'slots', why };
  }
  return undefined;
};

/** They keep their slots for longer than any update takes. */
function describeUnhealthy({ nodes }: Line, holders: readonly NodeId[]): string {
  const out = nodes.filter(({ node, report }) => report?.status === 'unhealthy' && holders.includes(node));
  return out.length === 0
    ? ''
    : `; ${nameNodes(out)} is not well on what cannot be undone, and keeps its own until it is, or a newer release comes`;
}

const explainNodes: Asked = ({ state, rollout, regions, policy }) => {
  if (rollout.phase.name !== 'rolling') return undefined;
  const awaited = regions.flatMap(({ line, progress }) =>
    nodesStanding(line, countBelow(line, progress.cursor), isAwaited),
  );
  if (awaited.length === 0) return undefined;
  const deadlineMs = state.progress.sinceMs + policy.progressDeadlineMs;
  const why = `it waits for ${nameNodes(awaited)}; it pauses at ${timeOf(deadlineMs)} if nobody gets any further`;
  return { because: 'nodes', why };
};

const explainRefusals: Asked = ({ state, rollout, regions, policy }) => {
  if (rollout.phase.name !== 'rolling') return undefined;
  const verdict = judgeStage(rollout, regions, countAttempts(rollout, state.census), policy);
  if (verdict.is !== 'void') return undefined;
  const why = `nobody takes it: ${nameNodes(missingNodes(rollout, regions))} refuse it, each for its own reason`;
  return { because: 'refusals', why };
};

const explainPace: Asked = ({ state, rollout, regions, policy: { safeRate }, nowMs }) => {
  if (safeRate === undefined || !awaitsTime(rollout, regions)) return undefined;
  const due = regions.flatMap(({ line, isClosed }) => {
    const region = line.nodes[0]?.region;
    return isClosed || region === undefined ? [] : (nextPacedMs(state, rollout, region, line, nowMs) ?? []);
  });
  if (due.length === 0) return undefined;
  const rate = `${safeRate.percent} % in ${formatDuration(safeRate.perMs)}`;
  const untilMs = Math.min(...due);
  const why = `its safe rate (${rate}) lets nobody more start before ${timeOf(untilMs)}`;
  return { because: 'pace', why, untilMs };
};

const explainSoak: Asked = ({ state, rollout, nowMs }) => {
  if (rollout.phase.name !== 'soaking') return undefined;
  const untilMs = rollout.phase.sinceMs + soakOf(state, rollout);
  if (nowMs >= untilMs) return undefined;
  return {
    because: 'soak',
    why: `${describePlace(state, rollout)} is watched until ${timeOf(untilMs)}`,
    untilMs,
  };
};

const explainGates: Asked = ({ state, rollout, nowMs }) => {
  if (rollout.phase.name !== 'soaking') return undefined;
  const gates = judgeGates(state, rollout, rollout.phase.sinceMs + soakOf(state, rollout), nowMs);
  return gates.is === 'pending' ? { because: 'gates', why: gates.why } : undefined;
};

const explainApproval: Asked = ({ state, rollout }) =>
  rollout.phase.name === 'gated'
    ? {
        because: 'approval',
        why: `${describePlace(state, rollout)} is through, and the word "approve" opens the next stage`,
      }
    : undefined;

const STOPPED: readonly Asked[] = [explainOver, explainHalting];

const UNDER_WAY: readonly Asked[] = [
  explainPause,
  explainLookOut,
  explainStaging,
  explainSlots,
  explainNodes,
  explainRefusals,
  explainWindows,
  explainDependencies,
  explainPace,
  explainSoak,
  explainGates,
  explainApproval,
];
