/** What a leader hears: the bus's last values, and whatever follows them, handed to the services that they concern. */

import type { Bus, Follower, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { isName, type ServiceName } from '@swell/shared/domain/names.ts';
import {
  ALL_CONTROLS,
  ALL_HEALTH,
  ALL_NODES,
  ALL_ORDERS,
  ALL_POLICIES,
  ALL_RELEASES,
  ALL_ROLLOUTS,
  ALL_SLOTS,
  STREAMS,
} from '@swell/shared/protocol/subjects.ts';
import type { NodeSighting } from '../core/events.ts';
import type { Term } from './leadership.ts';
import { publishEvent } from './performers.ts';
import type { Services } from './services.ts';
import {
  readPresence,
  readReport,
  type Translated,
  translateControl,
  translateOrder,
  translatePolicy,
  translateRelease,
  translateSlot,
} from './translate.ts';

export interface HearingOptions {
  readonly bus: Bus;
  readonly host: Host;
  readonly term: Term;
  readonly logger: Logger;
  /** A message did not parse. */
  readonly onRejected: () => void;
}

export class Hearing {
  readonly #options: HearingOptions;
  readonly #services: Services;
  readonly #followers: Follower[] = [];

  constructor(options: HearingOptions, services: Services) {
    this.#options = options;
    this.#services = services;
  }

  /** Last values first, so that nothing is decided on half of them; then whatever came after. */
  async readBus(): Promise<Promise<void>[]> {
    await this.#last(STREAMS.rollouts, [ALL_ROLLOUTS], (message) => this.#services.restore(message));
    const toService =
      (translate: (message: StoredMessage) => Translated | undefined) => (message: StoredMessage) => {
        this.#hand(translate(message));
      };
    const sources = [
      [STREAMS.policies, ALL_POLICIES, toService(translatePolicy)],
      [STREAMS.orders, ALL_ORDERS, toService(translateOrder)],
      [STREAMS.slots, ALL_SLOTS, toService(translateSlot)],
      [STREAMS.nodes, ALL_NODES, (message: StoredMessage) => this.#hearPresence(message)],
      [STREAMS.health, ALL_HEALTH, (message: StoredMessage) => this.#hearReport(message)],
    ] as const;
    const pumps: Promise<void>[] = [];
    for (const [stream, subjects, handle] of sources) {
      const last = await this.#last(stream, [subjects], handle);
      // What we write ourselves comes back by its acknowledgement, not by the stream.
      if (stream !== STREAMS.orders) pumps.push(this.#pump(stream, [subjects], last + 1, handle));
    }
    return pumps;
  }

  async #last(
    stream: string,
    subjects: readonly string[],
    handle: (message: StoredMessage) => void,
  ): Promise<number> {
    const messages = await this.#options.bus.readLastOfEach(stream, subjects);
    for (const message of messages) handle(message);
    return messages.reduce((last, { sequence }) => Math.max(last, sequence), 0);
  }

  async #pump(
    stream: string,
    subjects: readonly string[],
    from: number,
    handle: (message: StoredMessage) => void | Promise<void>,
  ): Promise<void> {
    const follower = this.#options.bus.follow({ stream, subjects, from });
    this.#followers.push(follower);
    for await (const message of follower) await handle(message);
  }

  #hand(translated: Translated | undefined): void {
    if (translated === undefined || !isName(translated.service)) return;
    void this.#services.of(translated.service).post(translated.event);
  }

  /** What people publish: handled once it is saved. A service that cannot be one is refused without a machine. */
  async #take(
    message: StoredMessage,
    { service, event }: Translated,
    rejection: FleetEvent['name'],
  ): Promise<void> {
    if (isName(service)) return this.#services.of(service).post(event);
    const problem = 'service: its name must be letters, digits, "-" and "_": check the subject';
    const { bus, host, term } = this.#options;
    await publishEvent(
      bus,
      {
        id: `unknown.${rejection}.${message.sequence}`,
        name: rejection,
        service: 'unknown',
        rollout: message.sequence,
        problems: [problem],
        line: `${message.subject} is refused: ${problem}`,
      },
      host,
      term.signal,
    );
  }

  #hearPresence(message: StoredMessage): void {
    const read = readPresence(message);
    if (read.is === 'unreadable') return this.#reject(message, read.problems);
    const { region, node } = read.is === 'gone' ? read : read.value;
    const services = read.is === 'gone' ? {} : read.value.services;
    const concerned = new Set<ServiceName>(Object.keys(services));
    for (const [service, { state }] of this.#services.machines) {
      if (state.census.get(region)?.has(node) === true) concerned.add(service);
    }
    for (const service of concerned) {
      const presence = services[service];
      const seen: NodeSighting = {
        region,
        node,
        seenAtMs: message.storedAtMs,
        ...(presence !== undefined && { presence }),
      };
      void this.#services.of(service).post({ kind: 'nodes-seen', nodes: [seen] });
    }
  }

  #hearReport(message: StoredMessage): void {
    const read = readReport(message);
    if (read.is !== 'value') return this.#reject(message, read.is === 'unreadable' ? read.problems : []);
    const { sequence, storedAtMs } = message;
    const heard = { report: read.value, sequence, storedAtMs };
    void this.#services.of(read.value.service).post({ kind: 'reports-read', reports: [heard] });
  }

  /** I13. Reported with its reason; nothing else happens. */
  #reject(message: StoredMessage, problems: readonly string[]): void {
    const { bus, host, logger, onRejected, term } = this.#options;
    onRejected();
    logger.warn({ subject: message.subject, problems }, 'message rejected');
    const line = `${message.subject} (${message.sequence}) does not parse: ${problems.join('; ')}`;
    const id = `${message.subject}.${message.sequence}`;
    const event: FleetEvent = { id, name: 'message-rejected', service: 'unknown', problems, line };
    publishEvent(bus, event, host, term.signal).catch((error: unknown) =>
      logger.debug({ err: error }, 'not told'),
    );
  }

  /** What people publish, from where the last leader had read. Ends when closed. */
  async hearPeople(): Promise<void> {
    const { term } = this.#options;
    const { releases, controls } = term.read;
    await Promise.all([
      this.#pump(STREAMS.releases, [ALL_RELEASES], releases + 1, async (message) => {
        await this.#take(message, translateRelease(message), 'release-rejected');
        term.hasRead('releases', message.sequence);
      }),
      this.#pump(STREAMS.controls, [ALL_CONTROLS], controls + 1, async (message) => {
        await this.#take(message, translateControl(message), 'control-rejected');
        term.hasRead('controls', message.sequence);
      }),
    ]);
  }

  close(): void {
    for (const follower of this.#followers) follower.close();
  }
}
