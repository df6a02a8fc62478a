import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsServerOptions } from './nats.ts';

const READY_TIMEOUT_MS = 60_000;

/** A configuration like the one that we ship, for these ports and this store. */
export function natsConf(
  place: { readonly host: string; readonly port: number; readonly httpPort: number; readonly store: string },
  options: NatsServerOptions,
): string {
  const jetstream = options.jetstream ?? `jetstream { store_dir: "${place.store}", sync_interval: always }`;
  return `listen: "${place.host}:${place.port}"\nhttp: "${place.host}:${place.httpPort}"\n${jetstream}\n${options.conf ?? ''}\n`;
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
