/** What ought to stand on the bus, derived from the record alone. */

import type { Region } from '@swell/shared/domain/names.ts';
import { unavailableLimit } from '@swell/shared/domain/policy.ts';
import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import { hasBegun, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Halt, Release, Wave, WavePhase } from '@swell/shared/domain/wave.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { CANARIES_PERCENT } from './admission/canary.ts';
import { holdsIn } from './admission/holds.ts';
import { isShut } from './limits/dependencies.ts';
import { stageOf } from './stage/places.ts';
import { activeRegions } from './stage/regions.ts';
import { policyOf, type ServiceState } from './state.ts';
import { isStaying } from './words/staying.ts';

/** The newest halt stays as it is, whatever is released after it; lifted only where its digest was accepted again. */
export function wantedHalt({ service, record }: ServiceState): Halt | undefined {
  const [newest] = record.halted;
  return newest === undefined ? undefined : { service, ...newest };
}

/** Every known region has an order once there is a rollout, so that none of an earlier one goes on in its place. */
export function wantedWave(state: ServiceState, region: Region): Wave | undefined {
  const { rollout } = state.record;
  if (rollout === undefined) return undefined;
  const { phase } = rollout;
  switch (phase.name) {
    case 'staging':
    case 'rolling':
    case 'soaking':
    case 'gated':
      return movingWave(state, rollout, region);
    case 'settled':
    case 'rested':
      // What had settled before would take back those who stay.
      if (isStaying(state.record, rollout)) return stoppedWave(state, rollout, region, 'halted');
      return settledWave(state, region) ?? stoppedWave(state, rollout, region, 'halted');
    case 'halting':
      return stoppedWave(state, rollout, region, 'halted');
    case 'aborted':
      return stoppedWave(state, rollout, region, 'aborted');
    default:
      return unreachable(phase);
  }
}

function movingWave(state: ServiceState, rollout: Rollout, region: Region): Wave {
  const progress = rollout.regions[region];
  const {
    cursor,
    stageBelow,
    canaries = [],
    outdated = [],
  } = { cursor: FIRST, stageBelow: FIRST, ...progress };
  const named = [...canaries, ...outdated.filter((node) => !canaries.includes(node))];
  const isActive = activeRegions(state, rollout).includes(region);
  const itsTurn = hasBegun(progress) || isActive;
  // Before its turn a region stays with what the fleet has settled on; one that was left half-way, as it is.
  const before = itsTurn || rollout.halfway.includes(region) ? undefined : settledWave(state, region);
  if (before !== undefined) return before;
  // A closed window, or what the service depends on, lets nodes download, and nobody start.
  const isClosed = isShut(rollout, region);
  const isOpen = cursor > FIRST || (named.length > 0 && haveCanariesBegun(rollout));
  const phase = rollout.paused !== undefined ? 'paused' : isOpen && !isClosed ? 'open' : 'staging';
  // The stage is that of the regions whose turn it is; one that is through stays at its end.
  const percent = isActive || cursor < LAST ? rollout.percent : 100;
  return {
    ...wave(state, rollout.release, region, phase, { stageBelow, cursor, percent }),
    ...(named.length > 0 && { canaries: named }),
  };
}

/** Once their stage has opened, canaries stay admitted in every later one; outdated nodes are named from then on. */
function haveCanariesBegun({ percent, phase }: Rollout): boolean {
  return percent > CANARIES_PERCENT || phase.name !== 'staging';
}

function settledWave(state: ServiceState, region: Region): Wave | undefined {
  const [release] = state.record.settled;
  if (release === undefined) return undefined;
  return wave(state, release, region, 'settled', { stageBelow: LAST, cursor: LAST, percent: 100 });
}

function stoppedWave(state: ServiceState, rollout: Rollout, region: Region, phase: WavePhase): Wave {
  return wave(state, rollout.release, region, phase, {
    stageBelow: FIRST,
    cursor: FIRST,
    percent: rollout.percent,
  });
}

function wave(
  state: ServiceState,
  release: Release,
  region: Region,
  phase: WavePhase,
  { percent, ...place }: Pick<Wave, 'stageBelow' | 'cursor'> & { readonly percent: number },
): Wave {
  const policy = policyOf(state);
  const { rollout } = state.record;
  const holds = holdsIn(state, release, region);
  return {
    region,
    service: state.service,
    ...scoped(state),
    release,
    phase,
    stage: stageOf(policy, percent),
    seed: rollout?.seed ?? state.service,
    ...place,
    ...(holds.length > 0 && { holds }),
    slots: rollout?.regions[region]?.slots ?? unavailableLimit(policy.maxUnavailable, 1),
    slotLeaseMs: policy.slotLeaseMs,
    stagingSpreadMs: policy.stagingSpreadMs,
    ...(policy.stopTimeoutMs !== undefined && { stopTimeoutMs: policy.stopTimeoutMs }),
    ...(release.irreversible === true
      ? { maxSurge: 'never' as const }
      : policy.maxSurge > 0 && { maxSurge: policy.maxSurge }),
    health: policy.health,
    drain: policy.drain,
    rejoin: policy.rejoin,
  };
}

/** The broadcast is the global one's: two leaders would write it in turn. */
function scoped(state: ServiceState): Pick<Wave, 'scope' | 'halt'> {
  const { scope } = state;
  const halt = scope === undefined ? undefined : wantedHalt(state);
  return { ...(scope !== undefined && { scope }), ...(halt !== undefined && { halt }) };
}
