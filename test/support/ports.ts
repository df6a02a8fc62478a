/** Ports of the loopback for whoever opens them later, or again and again: nobody else here is given them meanwhile. */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range that systems take for outgoing connections, which come and go while an owner is away. */
const FROM = 20_000;
const TO = 32_000;

/** So many in a row that nobody listens on. They are its process's own until that ends: a server's address stays over its restarts. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const first = FROM + Math.floor(Math.random() * (TO - FROM));
  let row: number[] = [];
  for (let tries = 0; row.length < count; tries += 1) {
    if (tries > TO - FROM) throw new Error(`no ${count} ports in a row are free from ${FROM} to ${TO}`);
    const port = FROM + ((first + tries - FROM) % (TO - FROM));
    const isNext = row.length === 0 || port === (row.at(-1) ?? 0) + 1;
    if (!isNext) row = [];
    if ((await isFree(port)) && (await isClaimed(port))) row.push(port);
    else row = [];
  }
  return row;
}

/** Of all addresses of this machine: a container's port is published on each. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  if (!(await listens(server.listen(port)))) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/**
 * Whether it is ours from now on: by a name of Linux that is no file, that only one process can have, and that goes with the
 * process. Elsewhere two that look at the same moment may find the same port.
 */
async function isClaimed(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const claim = createServer();
  claim.unref();
  return listens(claim.listen(`\0swell-test-port-${port}`));
}

async function listens(server: ReturnType<typeof createServer>): Promise<boolean> {
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  }
}
