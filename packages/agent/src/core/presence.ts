/** What a node shows of a service in its presence record (K7). */

import type { ServicePresence } from '@swell/shared/domain/report.ts';
import { shortLine } from '@swell/shared/kernel/printable.ts';
import { runningOf } from './running.ts';
import type { ServiceState } from './state.ts';
import { obstacleToStart, want } from './want.ts';

/** A node shows all its services in one message, and an engine may name hundreds of containers. */
const REASON_MAX = 300;

export function presenceOf(state: ServiceState, nowMs: number): ServicePresence | undefined {
  const { observation, phase } = state;
  // In the middle of a swap the last look at the engine still tells that the service is here.
  if (observation?.state === 'absent' && phase.name === 'idle') return undefined;
  const running = runningOf(state);
  const wave = state.wave?.order.release;
  const version = wave !== undefined && running === wave.image.digest ? wave.version : undefined;
  const reason = whyNotReady(state, nowMs);
  return {
    ...(running !== undefined && { running }),
    ...(version !== undefined && { version }),
    phase: phase.name,
    ready: reason === undefined,
    ...(reason !== undefined && { reason: shortLine(reason, REASON_MAX) }),
  };
}

/** Would it start now if its turn came? (B15: the first half of "why does this node wait?") */
function whyNotReady(state: ServiceState, nowMs: number): string | undefined {
  const { unhealthy } = state.journal.attempt ?? {};
  if (unhealthy !== undefined) return unhealthy;
  const wanted = want(state);
  switch (wanted.kind) {
    case 'rest':
    case 'refuse':
    case 'keep':
      return wanted.why;
    case 'stage':
      return 'it downloads the image';
    case 'be-done':
      return undefined;
    case 'stay-staged':
    case 'go':
      return obstacleToStart(state, nowMs);
  }
}
