/** Keeps the node's presence record: written on every change, and again before it would expire (K7). */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import { BusError } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Presence } from '@swell/shared/domain/report.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { describePresence } from '@swell/shared/protocol/reports.ts';
import { nodeKey } from '@swell/shared/protocol/subjects.ts';

const SETTLE_MS = 100;
const RETRY_MS = 2_000;
const LOOK_AGAIN_MS = 1_000;

export class PresenceKeeper implements Disposable {
  readonly #bus: () => Bus | undefined;
  readonly #read: () => Presence | undefined;
  readonly #everyMs: number;
  readonly #host: Host;
  #callOff: (() => void) | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #written: Presence | undefined;
  #ended = false;

  /** @param read undefined: not all that there is has been looked at, and half of it would look as if the rest were gone */
  constructor(bus: () => Bus | undefined, host: Host, read: () => Presence | undefined, everyMs: number) {
    this.#host = host;
    this.#bus = bus;
    this.#read = read;
    this.#everyMs = everyMs;
  }

  /** Something may have changed: a moment later it is compared with what was written. */
  touched(): void {
    const presence = this.#read();
    if (presence !== undefined && !sameValue(presence, this.#written)) this.#within(SETTLE_MS);
  }

  /** Written anew although nothing changed, for a bus or a coordinator that may have forgotten; spread over some time. */
  refresh(spreadMs: number): void {
    this.#within(this.#host.random() * spreadMs);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#callOff?.();
  }

  #within(delayMs: number): void {
    const dueMs = this.#host.monotonicMs() + delayMs;
    if (this.#ended || dueMs >= this.#dueMs) return;
    this.#callOff?.();
    this.#dueMs = dueMs;
    this.#callOff = this.#host.after(delayMs, () => void this.#write());
  }

  async #write(): Promise<void> {
    this.#dueMs = Number.POSITIVE_INFINITY;
    const presence = this.#read();
    if (presence === undefined) return this.#within(LOOK_AGAIN_MS);
    try {
      await this.#bus()?.publish({
        subject: nodeKey(presence.region, presence.node),
        body: encode(presence),
        line: describePresence(presence),
      });
      this.#written = presence;
      this.#within(this.#everyMs * (0.8 + this.#host.random() * 0.2));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      this.#within(RETRY_MS);
    }
  }
}
