/**
 * A simulated process: the only way from the world into a program, and so the place where programs die, and where they
 * are stopped and continued. What a dead one was waiting for never comes.
 */

import type { Host } from '@swell/shared/adapters/host.ts';
import type { Chance } from './chance.ts';
import type { VirtualTime } from './time.ts';

export class Process {
  readonly name: string;
  readonly host: Host;
  /** How far its wall clock is off; may jump. */
  skewMs: number;
  /** Since when nothing has stopped it. */
  calmSinceMs: number;
  readonly #time: VirtualTime;
  #isAlive = true;
  #isPaused = false;
  #held: (() => void)[] = [];
  /** Called at every effect that leaves the process: where the world may kill it. */
  onEffect: (name: string, when: 'before' | 'after') => void = () => {};

  constructor(name: string, time: VirtualTime, chance: Chance, skewMs = 0) {
    this.name = name;
    this.skewMs = skewMs;
    const bornMs = time.nowMs;
    this.#time = time;
    this.calmSinceMs = bornMs;
    this.host = {
      monotonicMs: () => time.nowMs - bornMs,
      wallMs: () => time.nowMs + this.skewMs,
      random: () => chance.next(),
      after: (ms, call) => time.after(ms, () => this.enter(call)),
      sleep: (ms, signal) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
        const onAbort = (): void => {
          callOff();
          reject(signal?.reason as Error);
        };
        const callOff = time.after(ms, () =>
          this.enter(() => {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          }),
        );
        signal?.addEventListener('abort', onAbort, { once: true });
        return promise;
      },
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Something reaches the program: now, when it is continued, or never. */
  enter(call: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused) this.#held.push(call);
    else call();
  }

  /** A promise of the world's, as the program sees it. */
  waiting<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.enter(() => resolve(value)),
        (error: unknown) => this.enter(() => reject(error)),
      );
    });
  }

  /**
   * Something leaves the program for the world: before it the process may die without having done it, after it without
   * having learnt of it. Where it is stopped there, it goes on from there.
   */
  async effect<Value>(name: string, act: () => Promise<Value>): Promise<Value> {
    this.onEffect(name, 'before');
    if (this.#isPaused) await this.#continued();
    if (!this.#isAlive) return never();
    const value = await this.waiting(act());
    this.onEffect(name, 'after');
    if (this.#isPaused) await this.#continued();
    return this.#isAlive ? value : never();
  }

  #continued(): Promise<void> {
    return new Promise((resolve) => {
      this.#held.push(resolve);
    });
  }

  kill(): void {
    this.#isAlive = false;
    this.#held = [];
  }

  /** SIGSTOP */
  pause(): void {
    this.#isPaused = true;
  }

  /** SIGCONT */
  resume(): void {
    if (this.#isPaused) this.calmSinceMs = this.#time.nowMs;
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const call of held) this.enter(call);
  }
}

export function never<Value>(): Promise<Value> {
  return new Promise(() => {});
}
