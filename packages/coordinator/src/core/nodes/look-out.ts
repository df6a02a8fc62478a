/** Has everybody had the time to show himself? A leader that has just begun may have read half a fleet. */

import type { ServiceState } from '../state.ts';
import { presentNodes } from './line.ts';

/**
 * Presence lies in memory: a server that restarted has forgotten it. But every node shows itself anew within two
 * seconds of coming back to the bus, and of hearing a new leader's pulse.
 */
export const LOOK_OUT_MS = 10_000;

/** Nothing is drawn, finished or passed over before; what stops a rollout waits for nothing. */
export function isCensusComplete({ census, record, readAtMs }: ServiceState, nowMs: number): boolean {
  if (nowMs - readAtMs >= LOOK_OUT_MS) return true;
  return Object.entries(record.rollout?.regions ?? {}).every(
    ([region, { nodes }]) => presentNodes(census, region, nowMs).length >= nodes,
  );
}
