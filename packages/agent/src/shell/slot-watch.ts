/**
 * Hears a region's slots while they matter to this node, and a moment longer. A fleet's agents that all heard every slot
 * would make each claim cost as many deliveries as there are nodes; those that wait for their turn are few, by admission.
 */

import type { Bus, HeardMessage, Subscription } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';

/** A renewal that was on its way when an attempt ended may still put our name on a slot: that should be heard. */
const LINGER_MS = 10_000;

export interface SlotWatchOptions {
  readonly subject: string;
  readonly bus: () => Bus | undefined;
  readonly host: Host;
  readonly hear: (message: HeardMessage) => void;
  readonly onFailed: (error: unknown) => void;
}

export class SlotWatch implements Disposable {
  readonly #options: SlotWatchOptions;
  #subscription: Subscription | undefined;
  #callOff: (() => void) | undefined;

  constructor(options: SlotWatchOptions) {
    this.#options = options;
  }

  /** Resolves once whatever changes is heard; at once where nobody listens, or the bus is out of reach. */
  async ready(): Promise<void> {
    await this.#subscription?.ready.catch(() => {});
  }

  /** Slots matter, or they do not any more. Said as often as one likes. */
  follow(matters: boolean): void {
    if (matters) this.#begin();
    else if (this.#subscription !== undefined)
      this.#callOff ??= this.#options.host.after(LINGER_MS, () => this.#end());
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #begin(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const { bus, subject, hear, onFailed } = this.#options;
    const subscription = this.#subscription ?? bus()?.subscribe(subject);
    if (subscription === undefined || subscription === this.#subscription) return;
    this.#subscription = subscription;
    void (async () => {
      for await (const message of subscription) hear(message);
    })().catch(onFailed);
  }

  #end(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#subscription?.close();
    this.#subscription = undefined;
  }
}
