/** B15. "Why does this node wait?" in one sentence, for whoever asks it. */

import { formatDuration } from '@swell/shared/kernel/units.ts';
import type { ServiceState } from './state.ts';
import { obstacleToStart, want } from './want.ts';

export function explain(state: ServiceState, nowMs: number): string {
  const { phase } = state;
  const { unhealthy } = state.journal.attempt ?? {};
  if (unhealthy !== undefined && phase.name !== 'settling')
    return `it is out, and keeps its slot: rollout ${state.journal.attempt?.rollout} cannot be undone, and it is not well: ${unhealthy}`;
  switch (phase.name) {
    case 'idle':
    case 'staging':
    case 'staged':
      return explainRest(state, nowMs);
    case 'queued':
      return explainQueue(state, nowMs);
    case 'claiming':
      return `it claims slot ${phase.slot}`;
    case 'checking':
      return `it has slot ${phase.lease.slot}, and reads its orders once more`;
    case 'draining':
      return `it has waited ${formatDuration(nowMs - phase.sinceMs)} for its traffic to leave`;
    case 'rejoining':
      return `it is back, and waits for a balancer to ask (${phase.told} of ${phase.attempt.rejoin.checks} times)`;
    case 'settling':
    case 'reverting': {
      const { reason } = phase.ending;
      return `it is ${phase.name} attempt ${phase.attempt.id}${reason === '' ? '' : `: ${reason}`}`;
    }
    default:
      return `it is ${phase.name} in attempt ${phase.attempt.id}`;
  }
}

function explainRest(state: ServiceState, nowMs: number): string {
  const wanted = want(state);
  switch (wanted.kind) {
    case 'rest':
    case 'refuse':
    case 'keep':
      return wanted.why;
    case 'be-done':
      return `it is on ${wanted.release.version}, as it ought to be`;
    case 'stage':
      return `it has to download ${wanted.release.version}${wanted.soon ? '' : ', and its turn has not come'}`;
    case 'stay-staged':
      return `it has ${wanted.release.version} at hand, and its turn has not come`;
    case 'go':
      return obstacleToStart(state, nowMs) ?? 'its turn has come';
  }
}

function explainQueue(state: ServiceState, nowMs: number): string {
  const { slots = 0 } = state.wave?.order ?? {};
  const taken = [...state.slots.values()].flatMap(({ holder }) => (holder === undefined ? [] : [holder]));
  if (taken.length < slots) return obstacleToStart(state, nowMs) ?? 'its turn has come';
  const shown = taken.slice(0, 5).map(({ node }) => node);
  const others = taken.length > shown.length ? ' and others' : '';
  return `it waits for a slot: all ${slots} are held, by ${shown.join(', ')}${others}`;
}
