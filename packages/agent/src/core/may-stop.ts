import type { ServiceState } from './state.ts';

/**
 * I1. May the old container stop at this very moment? Not by a slot that has run out while the engine was at it; once the
 * first one of several has stopped the node is out, and its next ones follow.
 */
export function mayStop({ phase }: ServiceState, nowMs: number): boolean {
  if (phase.name !== 'swapping' || phase.left !== undefined) return true;
  return phase.lease !== undefined && nowMs < phase.lease.untilMs;
}
