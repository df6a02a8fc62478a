import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsServerOptions } from './nats.ts';

const READY_TIMEOUT_MS = 20_000;

/** A configuration like the one that we ship, for these ports and this store. */
export function natsConf(
  place: { readonly host: string; readonly port: number; readonly httpPort: number; readonly store: string },
  options: NatsServerOptions,
): string {
  const jetstream = options.jetstream ?? `jetstream { store_dir: "${place.store}", sync_interval: always }`;
  return `listen: "${place.host}:${place.port}"\nhttp: "${place.host}:${place.httpPort}"\n${jetstream}\n${options.conf ?? ''}\n`;
}

/** Ports of the loopback that nobody listens on. They stay the same over restarts, as a server's address does. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return ports;
}

/**
 * Ports of the loopback that nobody listens on, from below the range that systems take for outgoing connections: they
 * stay free while their owner is away, as a container is in the middle of a swap. None is given twice.
 */
export async function lowPorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  const first = 20_000 + Math.floor(Math.random() * 8_000);
  for (let port = first; found.length < count && port < 32_000; port += 1) {
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    found.push(port);
  }
  if (found.length < count) throw new Error(`no ${count} ports of the loopback are free from ${first} on`);
  return found;
}

/** They may be taken only later. */
const given = new Set<number>();

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** Resolves once a NATS server greets at this port. */
export async function untilReady(port: number, whyNot: () => string | undefined): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const reason = whyNot();
    if (reason !== undefined) throw new Error(`nats-server ended: ${reason}`);
    if (await greets(port)) return;
    await delay(20);
  }
  throw new Error(`no nats-server at port ${port} within ${READY_TIMEOUT_MS} ms`);
}

async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [greeting] = await once(socket, 'data', { signal: AbortSignal.timeout(2_000) });
    return String(greeting).startsWith('INFO ');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
