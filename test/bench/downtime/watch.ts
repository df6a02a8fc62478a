/** How long a service was away, as a client sees it that never stops asking. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const CLIENT = join(import.meta.dirname, 'client.ts');
const BEFORE_MS = 500;
const AFTER_MS = 1_500;

/** The longest time between two good answers while that is done, in ms. */
export async function outageDuring(
  act: () => Promise<void>,
  { port, rate }: { readonly port: number; readonly rate: number },
): Promise<number> {
  const client = fork(CLIENT, [ownAddress(), `${port}`, `${rate}`]);
  try {
    await once(client, 'message', { signal: AbortSignal.timeout(30_000) });
    await delay(BEFORE_MS);
    await act();
    await delay(AFTER_MS);
    const answered = once(client, 'message');
    client.send('stop');
    const [times] = (await answered) as [readonly number[]];
    return longestGap(times);
  } finally {
    client.kill('SIGKILL');
  }
}

export function longestGap(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.reduce((longest, at, index) => Math.max(longest, at - (sorted[index - 1] ?? at)), 0);
}

/**
 * An address of this machine by which clients elsewhere would reach it: what is asked of the loopback takes another way,
 * through Docker's proxy.
 */
function ownAddress(): string {
  const isDockers = (name: string): boolean => /^(?:docker|br-|veth|swell|swb)/.test(name);
  const outer = Object.entries(networkInterfaces())
    .filter(([name]) => !isDockers(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outer?.address ?? '127.0.0.1';
}
