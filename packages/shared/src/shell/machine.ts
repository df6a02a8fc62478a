/**
 * The loop around a pure core. Its order is the whole point:
 *
 *     step → save what must outlive us → acknowledge → perform
 *
 * so that any line may be the last: what was performed had been saved, and what had been saved is performed again after
 * the next start. Events that wait together are stepped together and saved once.
 */

import { strict as assert } from 'node:assert';
import type { Host } from '../adapters/host.ts';

export interface Core<State, Event, Effect> {
  step(
    state: State,
    event: Event,
    nowMs: number,
  ): { readonly state: State; readonly effects: readonly Effect[] };
}

export interface MachineOptions<State, Event, Effect> {
  readonly core: Core<State, Event, Effect>;
  readonly initial: State;
  readonly nowMs: () => number;
  /** Stores what changed, if it must outlive us. Where it throws, nothing has been performed, and the machine has ended. */
  readonly save: (before: State, after: State) => Promise<void>;
  /** Starts an effect; what comes of it is posted as an event. Must not throw. */
  readonly perform: (effect: Effect) => void;
  /** Makes one event of several that wait, where that says the same. */
  readonly merge?: (events: readonly Event[]) => readonly Event[];
  /** Once for each event handled: the one place where it is logged and counted. */
  readonly onHandled?: (event: Event, before: State, after: State) => void;
  /** It ended, since a step or a save threw. */
  readonly onFailed: (error: unknown) => void;
}

export class Machine<State, Event, Effect> {
  readonly #options: MachineOptions<State, Event, Effect>;
  #state: State;
  #waiting: { readonly event: Event; readonly acknowledge: () => void }[] = [];
  #running = false;
  #ended = false;

  constructor(options: MachineOptions<State, Event, Effect>) {
    this.#options = options;
    this.#state = options.initial;
  }

  get state(): State {
    return this.#state;
  }

  /** Hands in an event. Resolves once what it changed has been saved; never, if the machine ends before. */
  post(event: Event): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#ended) return promise;
    this.#waiting.push({ event, acknowledge: resolve });
    if (!this.#running) {
      this.#running = true;
      queueMicrotask(() => void this.#run());
    }
    return promise;
  }

  /** Starts effects that no event asked for: those of the first step. */
  perform(effects: readonly Effect[]): void {
    for (const effect of effects) this.#options.perform(effect);
  }

  /** Nothing that is posted from now on is handled. */
  end(): void {
    this.#ended = true;
    this.#waiting = [];
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#ended) await this.#handle(this.#waiting.splice(0));
    } catch (error) {
      this.end();
      this.#options.onFailed(error);
    } finally {
      this.#running = false;
    }
  }

  async #handle(
    taken: readonly { readonly event: Event; readonly acknowledge: () => void }[],
  ): Promise<void> {
    const { core, nowMs, save, perform, merge, onHandled } = this.#options;
    const before = this.#state;
    const effects: Effect[] = [];
    const events = taken.map(({ event }) => event);
    for (const event of merge?.(events) ?? events) {
      const stood = this.#state;
      const next = core.step(stood, event, nowMs());
      this.#state = next.state;
      effects.push(...next.effects);
      onHandled?.(event, stood, next.state);
    }
    await save(before, this.#state);
    if (this.#ended) return;
    for (const { acknowledge } of taken) acknowledge();
    for (const effect of effects) perform(effect);
  }
}

/** Timers by name: setting one replaces the one of its name. */
export class Timers<Name extends string> {
  /** What calls each of them off. */
  readonly #pending = new Map<Name, () => void>();
  readonly #host: Host;
  readonly #fire: (name: Name) => void;

  constructor(host: Host, fire: (name: Name) => void) {
    this.#host = host;
    this.#fire = fire;
  }

  set(name: Name, delayMs: number): void {
    assert(Number.isFinite(delayMs), `timer ${name}: ${delayMs} ms`);
    this.clear(name);
    const fire = (): void => {
      this.#pending.delete(name);
      this.#fire(name);
    };
    this.#pending.set(name, this.#host.after(delayMs, fire));
  }

  clear(name: Name): void {
    this.#pending.get(name)?.();
    this.#pending.delete(name);
  }

  [Symbol.dispose](): void {
    for (const callOff of this.#pending.values()) callOff();
    this.#pending.clear();
  }
}
