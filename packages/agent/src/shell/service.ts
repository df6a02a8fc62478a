/** One service on this node: its core, its journal, its timers, and what it hears. */

import type { HeardMessage } from '@swell/shared/adapters/bus.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import { slotEntry } from '@swell/shared/adapters/slot-bucket.ts';
import type { ServicePresence } from '@swell/shared/domain/report.ts';
import type { Rotation } from '@swell/shared/domain/traffic.ts';
import { readHalt, readWave } from '@swell/shared/protocol/orders.ts';
import { parseOrderSubject, parseSlotSubject, slotHeard } from '@swell/shared/protocol/subjects.ts';
import { Machine, Timers } from '@swell/shared/shell/machine.ts';
import type { Journals } from '../adapters/journal.ts';
import type { Effect, Timer } from '../core/effects.ts';
import type { AgentEvent } from '../core/events.ts';
import { explain } from '../core/explain.ts';
import { presenceOf } from '../core/presence.ts';
import { type Journal, newService, type Phase, type Self, type ServiceState, work } from '../core/state.ts';
import { begin, step } from '../core/step.ts';
import { rotationOf } from '../core/traffic.ts';
import { type PerformerContext, perform } from './performers.ts';
import { SlotWatch } from './slot-watch.ts';

export interface ServiceOptions
  extends Pick<PerformerContext, 'self' | 'engine' | 'operator' | 'bus' | 'host'> {
  readonly journal: Journal;
  readonly journals: Journals;
  readonly logger: Logger;
  readonly onHandled: (self: Self, event: AgentEvent, before: ServiceState, after: ServiceState) => void;
  readonly onFailed: (error: unknown) => void;
}

export class Service implements Disposable {
  readonly #options: ServiceOptions;
  readonly #machine: Machine<ServiceState, AgentEvent, Effect>;
  readonly #timers: Timers<Timer>;
  readonly #slots: SlotWatch;
  readonly #ended = new AbortController();
  #presence: ServicePresence | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
    const { self, journal, journals, onHandled, onFailed, host } = options;
    this.#slots = new SlotWatch({
      subject: slotHeard(self.region, self.service),
      bus: options.bus,
      host,
      hear: (message) => this.#hearSlot(message),
      onFailed,
    });
    this.#timers = new Timers(host, (timer) => this.post({ kind: 'timer-fired', timer }));
    this.#machine = new Machine({
      core: { step },
      initial: newService(self, journal),
      nowMs: () => host.monotonicMs(),
      save: async (before, after) => {
        if (before.journal !== after.journal) await journals.save(self.service, after.journal);
      },
      perform: (effect) => this.#perform(effect),
      onHandled: (event, before, after) => {
        this.#log(event, before, after);
        this.#slots.follow(isForSlots(after.phase));
        onHandled(self, event, before, after);
      },
      onFailed,
    });
    this.#machine.perform(begin(this.#machine.state).effects);
  }

  get state(): ServiceState {
    return this.#machine.state;
  }

  /** Nothing is half done, and everything that has to be said has been. */
  get isAtRest(): boolean {
    return !this.isInTheMiddle && this.state.journal.outbox.length === 0;
  }

  get isInTheMiddle(): boolean {
    const { phase, journal } = this.state;
    // It may be out for days, and whoever starts next takes it up.
    if (journal.attempt?.unhealthy !== undefined && phase.name === 'probing') return false;
    return work(phase) !== undefined || phase.name === 'claiming';
  }

  /** What the node shows of it; the last known while the engine is being looked at. */
  presence(): ServicePresence | undefined {
    if (this.state.observation !== undefined)
      this.#presence = presenceOf(this.state, this.#options.host.monotonicMs());
    return this.#presence;
  }

  /** Why it waits, or what it is about, in one sentence. */
  explain(): string {
    return explain(this.state, this.#options.host.monotonicMs());
  }

  /** What whoever balances the load is told, from memory. Before it leaves and once it is back it waits for having said so. */
  tellRotation(): Rotation {
    const rotation = rotationOf(this.state, this.#options.host.monotonicMs());
    const { name } = this.state.phase;
    if (name === 'draining' || (name === 'rejoining' && rotation.is === 'in'))
      this.post({ kind: 'rotation-told' });
    return rotation;
  }

  post(event: AgentEvent): void {
    void this.#machine.post(event);
  }

  /** A slot as it was heard on its republished subject. */
  #hearSlot(message: HeardMessage): void {
    const place = parseSlotSubject(message.subject);
    if (message.sequence === undefined || place === undefined) return;
    const entry = slotEntry({ ...message, sequence: message.sequence });
    this.post({ kind: 'slot-heard', slot: place.slot, entry });
  }

  /** An order as it was heard on its republished subject. What does not parse changes nothing (I13). */
  hearOrder(message: HeardMessage): void {
    if (message.sequence === undefined) return;
    const place = parseOrderSubject(message.subject);
    const revision = message.sequence;
    if (place?.kind === 'wave') {
      const wave = message.deleted ? undefined : readWave(message.body, place);
      if (wave?.ok === false) return this.#reject(message, wave.problems);
      this.post({ kind: 'wave-heard', told: { revision, ...(wave !== undefined && { order: wave.value }) } });
    } else if (place?.kind === 'halt') {
      const halt = message.deleted ? undefined : readHalt(message.body, place);
      if (halt?.ok === false) return this.#reject(message, halt.problems);
      this.post({ kind: 'halt-heard', told: { revision, ...(halt !== undefined && { order: halt.value }) } });
    }
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#machine.end();
    this.#timers[Symbol.dispose]();
    this.#slots[Symbol.dispose]();
  }

  #perform(effect: Effect): void {
    const { self, engine, operator, bus, host, onFailed } = this.#options;
    const context: PerformerContext = {
      self,
      engine,
      operator,
      bus,
      host,
      signal: this.#ended.signal,
      setTimer: (timer, delayMs) => this.#timers.set(timer, delayMs),
      clearTimer: (timer) => this.#timers.clear(timer),
      slotsHeard: () => this.#slots.ready(),
      slotsKnown: () => this.state.slots,
    };
    perform(effect, context).then(
      (event) => event !== undefined && this.post(event),
      (error: unknown) => this.#ended.signal.aborted || onFailed(error),
    );
  }

  #reject(message: HeardMessage, problems: readonly string[]): void {
    this.#options.logger.warn(
      { subject: message.subject, revision: message.sequence, problems },
      'message rejected',
    );
  }

  #log(event: AgentEvent, before: ServiceState, after: ServiceState): void {
    const { logger, self } = this.#options;
    const fields = {
      service: self.service,
      event: event.kind,
      phase: after.phase.name,
      wave: after.wave?.revision,
      ...('reason' in event && { reason: event.reason }),
      ...('timer' in event && { timer: event.timer }),
      ...('removed' in event && { removed: event.removed }),
    };
    const isQuiet = ['pulse-heard', 'slot-heard', 'slots-read', 'timer-fired', 'orders-read'].includes(
      event.kind,
    );
    if (isQuiet && before.phase.name === after.phase.name) logger.debug(fields, 'event handled');
    else logger.info(fields, 'event handled');
  }
}

/** From the wait for a slot until it has been given back. */
function isForSlots(phase: Phase): boolean {
  return phase.name === 'queued' || phase.name === 'claiming' || work(phase) !== undefined;
}
