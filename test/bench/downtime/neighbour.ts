/** How soon the kernel asks again for a neighbour that did not answer, on one bridge: an operator's sysctl. */

import { readFile, writeFile } from 'node:fs/promises';

export const TUNED_MS = 20;

/** Sets it for as long as that is done, and puts it back. */
export async function withRetransTime(bridge: string, ms: number, act: () => Promise<void>): Promise<void> {
  const file = fileOf(bridge);
  const before = await readFile(file, 'utf8');
  await writeFile(file, `${ms}\n`);
  try {
    await act();
  } finally {
    await writeFile(file, before);
  }
}

/** Why it cannot be set here; `undefined` where it can. */
export async function noRetransTime(bridge: string): Promise<string | undefined> {
  try {
    const file = fileOf(bridge);
    await writeFile(file, await readFile(file, 'utf8'));
    return undefined;
  } catch (error) {
    return `the bridge's neighbour times cannot be set from here (${(error as Error).message})`;
  }
}

function fileOf(bridge: string): string {
  return `/proc/sys/net/ipv4/neigh/${bridge}/retrans_time_ms`;
}
