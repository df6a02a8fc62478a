/**
 * The agent's core for one service on one node.
 *
 *     step(state, event, nowMs) → { state, effects }
 *
 * The shell's order is: step, save `state.journal` if it changed, perform the effects. `nowMs` is a monotonic clock.
 * What is heard is folded in; if the service rests, {@link consider} asks what it ought to do; in the middle of an
 * attempt the phase's own function answers; reports and orphaned slots are seen to at every step.
 */

import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { stepChecking, stepClaiming } from './claim.ts';
import { clean } from './clean.ts';
import { consider } from './consider.ts';
import type { AgentEvent } from './events.ts';
import { hear } from './hear.ts';
import { seeLease } from './lease.ts';
import { clearLeftover } from './leftover.ts';
import { LOOK_AGAIN, look, observe } from './look.ts';
import type { Step } from './outcome.ts';
import { recover } from './recover.ts';
import { sendNext } from './say.ts';
import type { ServiceState } from './state.ts';
import { stepSwap } from './swap.ts';

export function begin(state: ServiceState): Step {
  return { state, effects: [observe(state), LOOK_AGAIN] };
}

export function step(state: ServiceState, event: AgentEvent, nowMs: number): Step {
  const heard = hear(state, event, nowMs);
  const looked = look(heard, event);
  const leased = seeLease(heard, event, nowMs);
  const acted = act(leased.state, event, nowMs);
  const sent = sendNext(acted.state);
  const cleaned = clean(state, sent.state, event);
  const cleared = clearLeftover(sent.state, event);
  return {
    state: sent.state,
    effects: [...looked, ...leased.effects, ...acted.effects, ...sent.effects, ...cleared, ...cleaned],
  };
}

function act(state: ServiceState, event: AgentEvent, nowMs: number): Step {
  if (!state.recovered) {
    const { observation } = state;
    return observation === undefined ? { state, effects: [] } : recover(state, observation, event, nowMs);
  }
  const { phase } = state;
  switch (phase.name) {
    case 'idle':
    case 'staging':
    case 'staged':
    case 'queued':
      return consider(state, event, nowMs);
    case 'claiming':
      return stepClaiming(state, phase, event, nowMs);
    case 'checking':
      return stepChecking(state, phase, event, nowMs);
    case 'preparing':
    case 'asking':
    case 'draining':
    case 'surging':
    case 'swapping':
    case 'probing':
    case 'confirming':
    case 'settling':
    case 'reverting':
    case 'rejoining':
      return stepSwap(state, phase, event, nowMs);
    default:
      return unreachable(phase);
  }
}
