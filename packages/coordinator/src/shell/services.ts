/** The machines of all services under one leader: made when a service is first heard of, saved by conditional writes. */

import { type Bus, BusError, type StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import { publishUntilStored } from '@swell/shared/adapters/persistent-publish.ts';
import type { Registry } from '@swell/shared/adapters/registry.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { emptyRecord, type ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { recordWithAll, recordWithin } from '@swell/shared/domain/within-scope.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { describeRecord, readServiceRecord } from '@swell/shared/protocol/records.ts';
import { lastToken, rolloutKey } from '@swell/shared/protocol/subjects.ts';
import { Machine } from '@swell/shared/shell/machine.ts';
import type { Prometheus } from '../adapters/prometheus.ts';
import type { Effect } from '../core/effects.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { Others } from '../core/limits/others.ts';
import { withShown } from '../core/limits/shown.ts';
import { takenOver } from '../core/scoping.ts';
import { newService, type ServiceState } from '../core/state.ts';
import { step } from '../core/step.ts';
import type { Term } from './leadership.ts';
import { mergeEvents } from './merge.ts';
import { perform } from './performers.ts';
import { TagLooks } from './tag-looks.ts';
import type { Territory } from './territory.ts';

export type ServiceMachine = Machine<ServiceState, CoordinatorEvent, Effect>;

export interface ServicesOptions {
  readonly bus: Bus;
  readonly registry: Registry;
  readonly prometheus?: Prometheus;
  readonly host: Host;
  readonly term: Term;
  readonly territory: Territory;
  readonly logger: Logger;
  readonly onHandled: (
    service: ServiceName,
    event: CoordinatorEvent,
    before: ServiceState,
    after: ServiceState,
  ) => void;
  readonly onOrderStored: () => void;
}

export class Services {
  readonly #options: ServicesOptions;
  readonly #machines = new Map<ServiceName, ServiceMachine>();
  readonly #revisions = new Map<ServiceName, number>();
  readonly #unreadable = new Set<ServiceName>();
  /** What was saved when the term began, of all regions. */
  readonly #whole = new Map<ServiceName, ServiceRecord>();
  /** Taken over from the global one, and not under our own key yet. */
  readonly #unsaved = new Set<ServiceName>();
  readonly #looks: TagLooks;
  /** How each service stands by what is saved. Cores are told with every step, as they are told the time: no event has to go round. */
  #others: Others = new Map();
  #isRead = false;

  constructor(options: ServicesOptions) {
    this.#options = options;
    this.#looks = new TagLooks(options);
  }

  get machines(): ReadonlyMap<ServiceName, ServiceMachine> {
    return this.#machines;
  }

  /** Takes all saved records: this scope's own, and of a service that has none the global one's. */
  restore(messages: readonly StoredMessage[]): void {
    const { scope } = this.#options.territory;
    const own = new Set<ServiceName>();
    for (const message of messages) {
      const service = lastToken(message.subject);
      if (message.subject !== rolloutKey(service, scope)) continue;
      own.add(service);
      this.#revisions.set(service, message.sequence);
      this.#restoreOne(message, service, (record) => record);
    }
    if (scope === undefined) return;
    for (const message of messages) {
      const service = lastToken(message.subject);
      if (own.has(service)) continue;
      this.#unsaved.add(service);
      this.#restoreOne(message, service, (record) => takenOver(record, scope));
    }
  }

  /**
   * A service whose record does not parse is left alone: to go on without it would forget what was halted, and the others are
   * not to blame.
   */
  #restoreOne(
    { body, deleted }: StoredMessage,
    service: ServiceName,
    begun: (record: ServiceRecord) => ServiceRecord,
  ): void {
    if (deleted) return;
    const { territory, logger } = this.#options;
    const record = readServiceRecord(body, service);
    if (record.ok) {
      const whole = begun(record.value);
      this.#whole.set(service, whole);
      this.#add(service, recordWithin(whole, territory.isOurs));
      return;
    }
    this.#unreadable.add(service);
    logger.error({ service, problems: record.problems }, 'record does not parse');
  }

  /** Missing where its record cannot be read. */
  of(service: ServiceName): ServiceMachine | undefined {
    if (this.#unreadable.has(service)) return undefined;
    return this.#machines.get(service) ?? this.#add(service, emptyRecord(service));
  }

  isUnreadable(service: ServiceName): boolean {
    return this.#unreadable.has(service);
  }

  /** All that the bus held has been posted: from here on machines decide, new ones too. */
  busRead(): void {
    this.#isRead = true;
    for (const machine of this.#machines.values()) void machine.post({ kind: 'bus-read' });
  }

  end(): void {
    for (const machine of this.#machines.values()) machine.end();
  }

  #add(service: ServiceName, record: ServiceRecord): ServiceMachine {
    const { term, onHandled, logger, prometheus } = this.#options;
    const machine: ServiceMachine = new Machine({
      core: { step: (state, event, nowMs) => step(this.#told(state), event, nowMs) },
      initial: {
        ...newService(service, record),
        ...(term.scope !== undefined && { scope: term.scope }),
        ...(prometheus === undefined && { hasNoPrometheus: true }),
      },
      nowMs: () => term.nowMs(),
      save: async (before, after) => {
        await this.#save(service, before, after);
        this.#others = withShown(this.#others, before, after);
      },
      perform: (effect) => void this.#perform(service, machine, effect),
      merge: mergeEvents,
      onHandled: (event, before, after) => {
        logHandled(logger, event, before, after);
        onHandled(service, event, before, after);
      },
      onFailed: (error) => this.#fail(error),
    });
    this.#machines.set(service, machine);
    if (this.#isRead) void machine.post({ kind: 'bus-read' });
    return machine;
  }

  #told(state: ServiceState): ServiceState {
    return state.others === this.#others ? state : { ...state, others: this.#others };
  }

  async #save(service: ServiceName, before: ServiceState, after: ServiceState): Promise<void> {
    if (before.record === after.record && !this.#unsaved.has(service)) return;
    const { bus, host, term, territory } = this.#options;
    const whole = this.#whole.get(service) ?? after.record;
    const record = recordWithAll(after.record, whole, territory.isOurs);
    const expect = this.#revisions.get(service) ?? 0;
    const { sequence } = await publishUntilStored(
      bus,
      {
        subject: rolloutKey(service, term.scope),
        body: encode(record),
        line: describeRecord(record),
        id: `${term.number}.${expect}`,
        expectLast: expect,
      },
      host,
      term.signal,
    );
    this.#revisions.set(service, sequence);
    this.#unsaved.delete(service);
  }

  async #perform(service: ServiceName, machine: ServiceMachine, effect: Effect): Promise<void> {
    const { bus, registry, prometheus, host, term, onOrderStored } = this.#options;
    try {
      await perform(effect, {
        service,
        ...(term.scope !== undefined && { scope: term.scope }),
        term: term.number,
        bus,
        registry,
        ...(prometheus !== undefined && { prometheus }),
        looks: this.#looks,
        host,
        signal: term.signal,
        post: (event) => void machine.post(event),
      });
      if (effect.kind === 'publish-wave' || effect.kind === 'publish-halt') onOrderStored();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whatever it is, another one (or we, anew) starts from what is saved. */
  #fail(error: unknown): void {
    const { term, logger } = this.#options;
    if (term.signal.aborted) return;
    const isRival = error instanceof BusError && error.code === 'conflict';
    if (!isRival) logger.error({ err: error }, 'a service failed');
    term.depose(isRival ? 'another coordinator writes our records' : `a service failed: ${String(error)}`);
  }
}

const QUIET: readonly CoordinatorEvent['kind'][] = ['time-passed', 'nodes-seen', 'slot-seen', 'event-stored'];

function logHandled(
  logger: Logger,
  event: CoordinatorEvent,
  before: ServiceState,
  after: ServiceState,
): void {
  const { rollout } = after.record;
  const phase = rollout?.phase.name ?? 'none';
  const changed = before.record.rollout?.phase.name !== rollout?.phase.name;
  const fields = { service: after.service, event: event.kind, rollout: rollout?.release.rollout, phase };
  if (QUIET.includes(event.kind) && !changed) logger.debug(fields, 'event handled');
  else logger.info(fields, 'event handled');
}
