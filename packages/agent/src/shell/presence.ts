/** Keeps the node's presence record: written on every change, and again before it would expire (K7). */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import { BusError } from '@swell/shared/adapters/bus.ts';
import type { Presence } from '@swell/shared/domain/report.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { describePresence } from '@swell/shared/protocol/reports.ts';
import { nodeKey } from '@swell/shared/protocol/subjects.ts';

const SETTLE_MS = 100;
const RETRY_MS = 2_000;

export class PresenceKeeper implements Disposable {
  readonly #bus: () => Bus | undefined;
  readonly #read: () => Presence;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #written: Presence | undefined;
  #ended = false;

  constructor(bus: () => Bus | undefined, read: () => Presence, everyMs: number) {
    this.#bus = bus;
    this.#read = read;
    this.#everyMs = everyMs;
  }

  /** Something may have changed: a moment later it is compared with what was written. */
  touched(): void {
    if (!sameValue(this.#read(), this.#written)) this.#within(SETTLE_MS);
  }

  /** Written anew although nothing changed, for a bus or a coordinator that may have forgotten; spread over some time. */
  refresh(spreadMs: number): void {
    this.#within(Math.random() * spreadMs);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #within(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    if (this.#ended || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => void this.#write(), delayMs);
  }

  async #write(): Promise<void> {
    this.#dueMs = Number.POSITIVE_INFINITY;
    const presence = this.#read();
    try {
      await this.#bus()?.publish({
        subject: nodeKey(presence.region, presence.node),
        body: encode(presence),
        line: describePresence(presence),
      });
      this.#written = presence;
      this.#within(this.#everyMs * (0.8 + Math.random() * 0.2));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      this.#within(RETRY_MS);
    }
  }
}
