import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { BusNotice } from '@swell/shared/adapters/nats-connect.ts';

/** A server syncs every write, and answers late where others keep the disk or the machine busy. */
const PATIENCE_MS = 60_000;

/** A test's own connection: it waits for an answer however late that is, unless the connection is lost. */
export function connectPatiently(
  { url }: { readonly url: string },
  name: string,
  onNotice: (notice: BusNotice) => void = () => {},
): Promise<NatsBus> {
  return connectNats({ servers: [url], name, requestTimeoutMs: PATIENCE_MS, onNotice });
}
