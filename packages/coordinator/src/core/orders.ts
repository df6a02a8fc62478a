/**
 * What ought to stand on the bus, derived from the record alone. The difference to what does stand there is what is
 * published: after a crash, a take-over or a lost acknowledgement the same question gives the same answer.
 */

import type { Region } from '@swell/shared/domain/names.ts';
import { type Policy, unavailableLimit } from '@swell/shared/domain/policy.ts';
import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import type { Rollout } from '@swell/shared/domain/rollout.ts';
import type { Halt, Release, Wave, WavePhase } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import type { Effect } from './effects.ts';
import type { Step } from './outcome.ts';
import { activeRegions, knownRegions } from './stages.ts';
import { policyOf, type ServiceState } from './state.ts';

/** Writes that are due, and the state that knows of them as under way. */
export function publishOrders(state: ServiceState): Step {
  const effects: Effect[] = [];
  const waves = new Map(state.waves);
  for (const region of knownRegions(state)) {
    const wave = wantedWave(state, region);
    const place = waves.get(region) ?? { revision: 0, sending: false };
    if (wave === undefined || place.sending || sameValue(wave, place.stored)) continue;
    waves.set(region, { ...place, sending: true });
    effects.push({ kind: 'publish-wave', wave, expect: place.revision });
  }
  const halt = wantedHalt(state);
  const haltIsDue = !state.halt.sending && !sameValue(halt, state.halt.stored);
  // The halt goes first: who hears one of the two must not start by the other.
  if (haltIsDue) effects.unshift({ kind: 'publish-halt', halt, expect: state.halt.revision });
  return {
    state: { ...state, waves, halt: { ...state.halt, sending: state.halt.sending || haltIsDue } },
    effects,
  };
}

/** The newest halt stays as it is, whatever is released after it; lifted only where its digest was accepted again. */
function wantedHalt(state: ServiceState): Halt | undefined {
  const [newest] = state.record.halted;
  return newest === undefined ? undefined : { service: state.service, ...newest };
}

function wantedWave(state: ServiceState, region: Region): Wave | undefined {
  const { rollout } = state.record;
  if (rollout === undefined) return undefined;
  const policy = policyOf(state);
  const { phase } = rollout;
  switch (phase.name) {
    case 'staging':
    case 'rolling':
    case 'soaking':
    case 'gated':
      return movingWave(state, rollout, region, policy);
    case 'settled':
    case 'rested':
      return settledWave(state, rollout, region, policy) ?? stoppedWave(rollout, region, 'halted', policy);
    case 'halting':
      return stoppedWave(rollout, region, 'halted', policy);
    case 'aborted':
      return stoppedWave(rollout, region, 'aborted', policy);
    default:
      return unreachable(phase);
  }
}

function movingWave(state: ServiceState, rollout: Rollout, region: Region, policy: Policy): Wave | undefined {
  const progress = rollout.regions[region];
  const itsTurn = activeRegions(state, rollout).includes(region) || (progress?.cursor ?? FIRST) > FIRST;
  // Before its turn a region stays with what the fleet has settled on.
  if (!itsTurn) return settledWave(state, rollout, region, policy);
  const cursor = progress?.cursor ?? FIRST;
  const phase = rollout.paused !== undefined ? 'paused' : cursor === FIRST ? 'staging' : 'open';
  return wave(rollout.release, rollout, region, phase, policy, {
    stageBelow: progress?.stageBelow ?? FIRST,
    cursor,
  });
}

function settledWave(
  state: ServiceState,
  rollout: Rollout,
  region: Region,
  policy: Policy,
): Wave | undefined {
  const [release] = state.record.settled;
  if (release === undefined) return undefined;
  return wave(release, rollout, region, 'settled', policy, { stageBelow: LAST, cursor: LAST });
}

function stoppedWave(rollout: Rollout, region: Region, phase: WavePhase, policy: Policy): Wave {
  return wave(rollout.release, rollout, region, phase, policy, { stageBelow: FIRST, cursor: FIRST });
}

function wave(
  release: Release,
  rollout: Rollout,
  region: Region,
  phase: WavePhase,
  policy: Policy,
  place: Pick<Wave, 'stageBelow' | 'cursor'>,
): Wave {
  const of = policy.stagesPercent.length;
  const settled = phase === 'settled';
  return {
    region,
    service: release.service,
    release,
    phase,
    stage: {
      number: settled ? of : rollout.stage + 1,
      of,
      percent: settled ? 100 : (policy.stagesPercent[rollout.stage] ?? 100),
    },
    seed: rollout.seed,
    ...place,
    slots: rollout.regions[region]?.slots ?? unavailableLimit(policy.maxUnavailable, 1),
    slotLeaseMs: policy.slotLeaseMs,
    stagingSpreadMs: policy.stagingSpreadMs,
    ...(policy.stopTimeoutMs !== undefined && { stopTimeoutMs: policy.stopTimeoutMs }),
    health: policy.health,
  };
}
