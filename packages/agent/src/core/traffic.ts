/**
 * Out of the rotation before the container stops, and back in it before the slot is freed (Z2). The rotation is told to
 * whoever asks, so what is said follows from the phase alone; nothing here needs the bus.
 */

import { type Rotation, risingWeight } from '@swell/shared/domain/traffic.ts';
import { finish } from './attempt.ts';
import { type Effect, timer } from './effects.ts';
import type { Work } from './ending.ts';
import type { AgentEvent } from './events.ts';
import { whyOut } from './one-way.ts';
import type { Step } from './outcome.ts';
import { type Attempt, type Ending, type Phase, type ServiceState, withPhase } from './state.ts';

type Draining = Extract<Phase, { name: 'draining' }>;
type Rejoining = Extract<Phase, { name: 'rejoining' }>;

interface Drained {
  readonly phase: Draining;
  readonly effects: readonly Effect[];
}

/** Between two questions for what is in flight. */
const ASK_AGAIN_MS = 500;

/** Is there anything to wait for before the container stops? */
export function isDrained({ drain: { checks, timeMs, inFlight } }: Attempt): boolean {
  return checks > 0 || timeMs > 0 || inFlight !== undefined;
}

/** The new container is ready beside the old one: whoever asks is told to send nothing more. */
export function drain(state: ServiceState, { attempt, lease }: Work, nowMs: number): Step {
  const { checks, timeMs, maxMs } = attempt.drain;
  const draining: Phase = {
    name: 'draining',
    attempt,
    sinceMs: nowMs,
    told: 0,
    ...(lease !== undefined && { lease }),
  };
  const waitMs = checks > 0 ? maxMs : timeMs;
  return { state: withPhase(state, draining), effects: [timer('drain', waitMs)] };
}

/** Has nothing more to be waited for? It is told, then asked until nothing is in flight, or for as long as the policy waits. */
export function stepDraining(phase: Draining, event: AgentEvent, nowMs: number): 'over' | Drained {
  const { drain: policy } = phase.attempt;
  const leftMs = policy.maxMs - (nowMs - phase.sinceMs);
  switch (event.kind) {
    case 'rotation-told': {
      const told = phase.told + 1;
      // Whatever time has passed, only now does somebody know.
      const effects =
        told === policy.checks ? [timer('drain', Math.max(0, Math.min(policy.timeMs, leftMs)))] : [];
      return { phase: { ...phase, told }, effects };
    }
    case 'timer-fired':
      if (event.timer !== 'drain') return { phase, effects: [] };
      return policy.inFlight === undefined
        ? 'over'
        : { phase, effects: [{ kind: 'count-in-flight', inFlight: policy.inFlight }] };
    case 'in-flight-counted': {
      const isLate = leftMs < ASK_AGAIN_MS;
      // Who does not answer has said nothing: the time has to do.
      return event.count === 0 || isLate ? 'over' : { phase, effects: [timer('drain', ASK_AGAIN_MS)] };
    }
    default:
      return { phase, effects: [] };
  }
}

/** Its container is the only one again: it is back, and keeps its slot until who asks has been told so. */
export function rejoin(state: ServiceState, work: Work, ending: Ending, nowMs: number): Step {
  const { attempt, lease, name } = work;
  const { checks, maxMs, rampMs } = attempt.rejoin;
  // Whoever has surged was never out.
  if (attempt.surges === true && name === 'settling') return finish(state, attempt, lease, ending, nowMs);
  const warming = rampMs > 0 ? { ...state, warming: { sinceMs: nowMs, rampMs } } : state;
  if (checks === 0 || state.stopping) return finish(warming, attempt, lease, ending, nowMs);
  const rejoining: Phase = {
    name: 'rejoining',
    attempt,
    ending,
    told: 0,
    ...(lease !== undefined && { lease }),
  };
  return { state: withPhase(warming, rejoining), effects: [timer('rejoin', maxMs)] };
}

export function stepRejoining(state: ServiceState, phase: Rejoining, event: AgentEvent, nowMs: number): Step {
  const { attempt, lease, ending } = phase;
  const over = (): Step => finish(state, attempt, lease, ending, nowMs);
  if (state.stopping) return over();
  switch (event.kind) {
    case 'rotation-told': {
      const told = phase.told + 1;
      return told >= attempt.rejoin.checks
        ? over()
        : { state: withPhase(state, { ...phase, told }), effects: [] };
    }
    case 'timer-fired':
      return event.timer === 'rejoin' ? over() : { state, effects: [] };
    default:
      return { state, effects: [] };
  }
}

/** What a node answers to whoever asks whether to send anything to this service. */
export function rotationOf(state: ServiceState, nowMs: number): Rotation {
  const { phase, observation, warming, recovered } = state;
  switch (phase.name) {
    case 'draining':
      return { is: 'draining' };
    case 'swapping':
    case 'probing':
    case 'confirming':
    case 'settling':
      if (phase.attempt.surges !== true) return { is: 'out', why: `it is ${phase.name}` };
      break;
    case 'reverting':
      if (phase.serves !== true) return { is: 'out', why: 'it goes back' };
      break;
    default:
      if (!recovered) return { is: 'unknown', why: 'the agent has just begun, and has not looked yet' };
      // While the engine is being looked at the last that is known stands.
      if (observation !== undefined && observation.state !== 'running')
        return { is: 'out', why: `its container is ${observation.state}` };
  }
  const out = whyOut(state);
  if (out !== undefined) return { is: 'out', why: out };
  const weightPercent = warming === undefined ? 100 : risingWeight(nowMs - warming.sinceMs, warming.rampMs);
  return { is: 'in', weightPercent };
}
