/** How the demo's rollouts behave: as in production, but at a pace that somebody likes to watch. */

import { WEB_PORT } from '../support/docker.ts';

export const MAX_UNAVAILABLE = 1;

/** As people write it into the bucket `swell_policies`. */
export function demoPolicy(nodesPerRegion: number): object {
  return {
    // A stage's share is rounded up to whole nodes: of two, there are two stages, whatever a policy lists.
    stages: nodesPerRegion > 2 ? [33, 66, 100] : [50, 100],
    approval: 'automatic',
    maxUnavailable: MAX_UNAVAILABLE,
    stagingSpread: '1s',
    soak: '2s',
    slotLease: '10s',
    failureBudget: { max: 1 },
    health: {
      http: { port: WEB_PORT, path: '/health' },
      interval: '300ms',
      timeout: '1s',
      minHealthyTime: '1200ms',
      healthyDeadline: '6s',
    },
  };
}
