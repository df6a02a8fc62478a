/**
 * What nodes say, gathered for a moment before it is handed on: each step of a core looks at the whole fleet, and a large
 * one never stops talking.
 */

import type { Host } from '@swell/shared/adapters/host.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { CoordinatorEvent } from '../core/events.ts';

const GATHER_MS = 20;
/** Where so much is said that it would be this much in a longer moment, the next one is as long. */
const GATHER_MANY_MS = 250;
const MANY = 200;

export class Gathering {
  readonly #host: Host;
  readonly #post: (service: ServiceName, event: CoordinatorEvent) => void;
  #gathered: (readonly [ServiceName, CoordinatorEvent])[] = [];
  #waitMs = GATHER_MS;
  #callOff: (() => void) | undefined;

  constructor(host: Host, post: (service: ServiceName, event: CoordinatorEvent) => void) {
    this.#host = host;
    this.#post = post;
  }

  add(service: ServiceName, event: CoordinatorEvent): void {
    this.#gathered.push([service, event]);
    this.#callOff ??= this.#host.after(this.#waitMs, () => this.handOn());
  }

  /** Hands on what there is, in the order in which it came. */
  handOn(): void {
    this.close();
    const gathered = this.#gathered;
    this.#gathered = [];
    // By the rate: a hundred thousand nodes that only say that they are there say so 1,667 times a second.
    const inLonger = (gathered.length * GATHER_MANY_MS) / this.#waitMs;
    this.#waitMs = inLonger < MANY ? GATHER_MS : GATHER_MANY_MS;
    for (const [service, event] of gathered) this.#post(service, event);
  }

  close(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
