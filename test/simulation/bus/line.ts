/** The way between one client and the server: latency, partitions, and the connection that stands on it at the moment. */

import type { Chance } from '../chance.ts';
import type { Process } from '../process.ts';
import type { VirtualTime } from '../time.ts';
import { Pipe } from './pipe.ts';
import type { FaultRates } from './rates.ts';
import type { Rounds } from './rounds.ts';
import { Session } from './session.ts';

/** Which way is blocked: to the server, to the client, or both. */
export type Direction = 'up' | 'down' | 'both';

export interface LineGround {
  readonly time: VirtualTime;
  readonly rounds: Rounds;
  readonly chance: Chance;
  readonly rates: FaultRates;
  readonly process: Process;
}

export class Line {
  readonly #ground: LineGround;
  readonly #blocked = { up: false, down: false };
  /** Pipes of sessions that are over may still bring what was said last. */
  readonly #sessions = new Set<Session>();
  #session: Session | undefined;
  /** The average way of one word. */
  latencyMs: number;
  /** The client's ear for the end of its connection, and for a network that is silent or back. */
  onCut: () => void = () => {};
  onSilence: () => void = () => {};
  onHealed: () => void = () => {};

  constructor(ground: LineGround, latencyMs: number) {
    this.#ground = ground;
    this.latencyMs = latencyMs;
  }

  get process(): Process {
    return this.#ground.process;
  }

  get isBlocked(): boolean {
    return this.#blocked.up || this.#blocked.down;
  }

  /** The connection that stands; undefined if none does. */
  get session(): Session | undefined {
    return this.#session?.isOpen === true ? this.#session : undefined;
  }

  open(): Session {
    const { time, rounds, process } = this.#ground;
    const delayMs = (): number => this.#delayMs();
    const session = new Session({
      time,
      process,
      up: new Pipe(rounds, delayMs, this.#blocked.up),
      down: new Pipe(rounds, delayMs, this.#blocked.down),
      cut: () => this.cut(),
    });
    this.#session = session;
    for (const old of this.#sessions) if (!old.isOpen && old.up.length === 0) this.#sessions.delete(old);
    this.#sessions.add(session);
    return session;
  }

  /** Nothing passes that way until it heals; what is said meanwhile waits in the kernels. */
  partition(direction: Direction): void {
    if (direction !== 'down') this.#blocked.up = true;
    if (direction !== 'up') this.#blocked.down = true;
    for (const { up, down } of this.#sessions) {
      if (this.#blocked.up) up.block();
      if (this.#blocked.down) down.block();
    }
    if (this.session !== undefined) this.onSilence();
  }

  heal(): void {
    this.#blocked.up = false;
    this.#blocked.down = false;
    for (const { up, down } of this.#sessions) {
      up.unblock();
      down.unblock();
    }
    this.onHealed();
  }

  /**
   * The connection breaks, and the client learns of it a moment later. What was on its way down is lost; of what was on its
   * way up a part still arrives.
   */
  cut(): void {
    if (this.session === undefined) return;
    const { time, process, chance } = this.#ground;
    this.giveUp(chance.happens(0.5) ? 0 : chance.whole(0, this.session.up.length));
    time.after(this.#delayMs(), () => process.enter(() => this.onCut()));
  }

  /** The server is gone: nothing arrives any more. */
  breakOff(): void {
    if (this.session === undefined) return;
    this.giveUp(0);
    const { time, process } = this.#ground;
    time.after(this.#delayMs(), () => process.enter(() => this.onCut()));
  }

  /** One end closes the connection; the first `arriving` of the words on their way up still come to the server. */
  giveUp(arriving: number): void {
    this.session?.close(arriving);
  }

  #delayMs(): number {
    const { chance, rates } = this.#ground;
    const lateMs = rates.delayed > 0 && chance.happens(rates.delayed) ? chance.exponential(rates.delayMs) : 0;
    return chance.exponential(this.latencyMs) + lateMs;
  }
}
