/**
 * What OPERATIONS has an operator do once the bus was put back to an older copy: agents are frozen until the revisions of
 * their orders are past what they have seen, and neither rollouts nor words may get numbers that were used already. So the
 * streams are filled up beyond what there was, and the orders are deleted, for the coordinator to write them anew.
 */

import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Stage } from './faults.ts';
import { REGIONS, SERVICE } from './machines.ts';

/** Beyond the highest number that anybody has seen. */
const BEYOND = 5;
const FILLER = 'filled up after a restore';

export async function recoverOrders({ world, cli }: Pick<Stage, 'world' | 'cli'>): Promise<void> {
  const highest = (stream: string): number =>
    world.judge.seen.reduce(
      (most, seen) => (seen.stream === stream ? Math.max(most, seen.revision) : most),
      0,
    );
  const fill = async (subject: string, stream: string): Promise<void> => {
    const reached = await cli.publish(subject, FILLER);
    const missing = highest(stream) + BEYOND - reached;
    if (missing > 0)
      await cli.run('pub', '-J', '--no-templates', '--count', String(missing), subject, FILLER);
  };
  await fill(`swell.release.${SERVICE}`, STREAMS.releases);
  await fill('$KV.swell_orders.filler', STREAMS.orders);
  for (const region of REGIONS) await cli.run('kv', 'del', 'swell_orders', `wave.${region}.${SERVICE}`, '-f');
  await cli.run('kv', 'del', 'swell_orders', `halt.${SERVICE}`, '-f');
}
