/** What a leader hears: the bus's last values, and whatever follows them, handed to the services that they concern. */

import type { Bus, Follower, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { isName, type Region, type ServiceName } from '@swell/shared/domain/names.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import { readAssignment } from '@swell/shared/protocol/scopes.ts';
import {
  ALL_CONTROLS,
  ALL_HEALTH,
  ALL_NODES,
  ALL_ORDERS,
  ALL_POLICIES,
  ALL_REGIONS,
  ALL_RELEASES,
  ALL_SLOTS,
  parseHealthSubject,
  parseNodeSubject,
  parseSlotSubject,
  STREAMS,
} from '@swell/shared/protocol/subjects.ts';
import type { NodeSighting } from '../core/events.ts';
import { Gathering } from './gathering.ts';
import type { Term } from './leadership.ts';
import { publishEvent } from './performers.ts';
import { lastPlace, restore } from './restoring.ts';
import type { Services } from './services.ts';
import type { Territory } from './territory.ts';
import {
  isMeant,
  readPresence,
  readReport,
  type Translated,
  type TranslatedOrder,
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
  readonly territory: Territory;
  readonly logger: Logger;
  /** A message did not parse. */
  readonly onRejected: () => void;
}

/** A stream: how its last values are heard, and what follows them, where that is another thing. */
interface Source {
  readonly stream: string;
  readonly subjects: string;
  readonly hear: (message: StoredMessage) => void;
  readonly follow?: (message: StoredMessage) => void;
}

export class Hearing {
  readonly #options: HearingOptions;
  readonly #services: Services;
  readonly #followers: Follower[] = [];
  /** What nodes say. */
  readonly #gathering: Gathering;

  constructor(options: HearingOptions, services: Services) {
    this.#options = options;
    this.#services = services;
    this.#gathering = new Gathering(options.host, (service, event) => this.#hand({ service, event }));
  }

  /**
   * Last values first, so that nothing is decided on half of them; then whatever came after. Where there is no region to lead,
   * nothing is heard but that one comes.
   */
  async readBus(): Promise<Promise<void>[]> {
    const { territory } = this.#options;
    const regions = await restore(this.#options, this.#services, (it, problems) =>
      this.#reject(it, problems),
    );
    const pump = this.#pump(STREAMS.rollouts, [ALL_REGIONS], regions, (it) => this.#watchRegion(it));
    if (territory.isEmpty) return [pump];
    const sources: readonly Source[] = [
      { stream: STREAMS.policies, subjects: ALL_POLICIES, hear: (it) => this.#hand(translatePolicy(it)) },
      {
        stream: STREAMS.orders,
        subjects: ALL_ORDERS,
        hear: (it) => this.#hearOrder(it, (ours) => this.#hand(ours)),
        // What we write ourselves comes back by its acknowledgement, not by the stream.
        follow: (it) => this.#hearOrder(it, (ours) => this.#watchOrder(it, ours)),
      },
      {
        stream: STREAMS.slots,
        subjects: ALL_SLOTS,
        hear: this.#ofOurs(parseSlotSubject, (it) =>
          this.#gather(this.#read(it, translateSlot(it, this.#nowMs))),
        ),
      },
      {
        stream: STREAMS.nodes,
        subjects: ALL_NODES,
        hear: this.#ofOurs(parseNodeSubject, (it) => this.#hearPresence(it)),
      },
      {
        stream: STREAMS.health,
        subjects: ALL_HEALTH,
        hear: this.#ofOurs(parseHealthSubject, (it) => this.#hearReport(it)),
      },
    ];
    const pumps: Promise<void>[] = [pump];
    for (const { stream, subjects, hear, follow = hear } of sources) {
      const last = await this.#last(stream, [subjects], hear);
      pumps.push(this.#pump(stream, [subjects], last, follow));
    }
    this.#gathering.handOn();
    return pumps;
  }

  async #last(
    stream: string,
    subjects: readonly string[],
    handle: (message: StoredMessage) => void,
  ): Promise<Place> {
    const messages = await this.#options.bus.readLastOfEach(stream, subjects);
    for (const message of messages) handle(message);
    return lastPlace(messages);
  }

  async #pump(
    stream: string,
    subjects: readonly string[],
    from: Place,
    handle: (message: StoredMessage) => void | Promise<void>,
  ): Promise<void> {
    const follower = this.#options.bus.follow({ stream, subjects, from });
    this.#followers.push(follower);
    for await (const message of follower) await handle(message);
  }

  get #nowMs(): number {
    return this.#options.term.nowMs();
  }

  /** What stands on the bus and does not parse is taken for what it is worth, and told (I13). */
  #read<Told extends Translated>(message: StoredMessage, translated: Told | undefined): Told | undefined {
    if (translated === undefined) this.#reject(message, ['its subject names no place of ours']);
    else if (translated.problems !== undefined) this.#reject(message, translated.problems);
    return translated;
  }

  #hand(translated: Translated | undefined): void {
    if (translated === undefined || !isName(translated.service)) return;
    void this.#services.of(translated.service)?.post(translated.event);
  }

  #gather(translated: Translated | undefined): void {
    if (translated !== undefined) this.#gathering.add(translated.service, translated.event);
  }

  /** Of the orders of others, a halt concerns us too. */
  #hearOrder(message: StoredMessage, take: (ours: TranslatedOrder) => void): void {
    const translated = this.#read(message, translateOrder(message));
    if (translated === undefined) return;
    const { service, event } = translated;
    const { isOurs, scope } = this.#options.territory;
    if (event.kind === 'wave-seen' ? isOurs(event.region) : scope === undefined) return take(translated);
    const halt = event.kind === 'wave-seen' ? event.wave?.halt : event.halt;
    if (halt !== undefined) this.#hand({ service, event: { kind: 'halt-elsewhere', halt } });
  }

  /** Hears what names a region only where that is ours; what names none is told as ever. */
  #ofOurs(
    parse: (subject: string) => { readonly region: Region } | undefined,
    hear: (message: StoredMessage) => void,
  ): (message: StoredMessage) => void {
    return (message) => {
      const place = parse(message.subject);
      if (place === undefined || this.#options.territory.isOurs(place.region)) hear(message);
    };
  }

  /** Where a region changes hands, whoever has it now must have read all that stands there; what nobody can read changes nothing. */
  #watchRegion(message: StoredMessage): void {
    const read = readAssignment(message);
    if (!read.ok) return this.#reject(message, read.problems);
    const reason = this.#options.territory.change(read.value);
    if (reason !== undefined) this.#options.term.depose(reason);
  }

  /**
   * Somebody else writes our orders: by what we know nothing is to be written over it. Whoever leads next, and that may
   * be us, reads anew what is saved and what stands.
   */
  #watchOrder(message: StoredMessage, { service, event }: TranslatedOrder): void {
    const state = this.#services.machines.get(service)?.state;
    if (state === undefined) return;
    const place = event.kind === 'wave-seen' ? state.waves.get(event.region) : state.halt;
    if (place?.sending !== true && message.sequence > (place?.revision ?? 0))
      this.#options.term.depose(`somebody else wrote ${message.subject}`);
  }

  /** What people publish: handled once it is saved. A service that cannot be one is refused without a machine. */
  async #take(
    message: StoredMessage,
    { service, event }: Translated,
    rejection: FleetEvent['name'],
  ): Promise<void> {
    const machine = isName(service) ? this.#services.of(service) : undefined;
    if (machine !== undefined) return machine.post(event);
    const problem = isName(service)
      ? 'service: its record cannot be read: restore its key in the bucket swell_rollouts from an older revision'
      : 'service: its name must be letters, digits, "-" and "_": check the subject';
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
      term.scope,
    );
  }

  #hearPresence(message: StoredMessage): void {
    const read = readPresence(message);
    if (read.is === 'unreadable') return this.#reject(message, read.problems);
    const { region, node } = read.is === 'gone' ? read : read.value;
    const services = read.is === 'gone' ? {} : read.value.services;
    const labels = read.is === 'gone' ? undefined : read.value.labels;
    const concerned = new Set<ServiceName>(Object.keys(services));
    for (const [service, { state }] of this.#services.machines) {
      if (state.census.get(region)?.has(node) === true) concerned.add(service);
    }
    for (const service of concerned) {
      const presence = services[service];
      const seen: NodeSighting = {
        region,
        node,
        seenAtMs: this.#nowMs,
        ...(presence !== undefined && { presence }),
        ...(labels !== undefined && { labels }),
      };
      this.#gathering.add(service, { kind: 'nodes-seen', nodes: [seen] });
    }
  }

  #hearReport(message: StoredMessage): void {
    const read = readReport(message);
    if (read.is !== 'value') return this.#reject(message, read.is === 'unreadable' ? read.problems : []);
    const heard = { report: read.value, sequence: message.sequence, heardAtMs: this.#nowMs };
    this.#gathering.add(read.value.service, { kind: 'reports-read', reports: [heard] });
  }

  /** I13. Reported with its reason; nothing else happens. */
  #reject(message: StoredMessage, problems: readonly string[]): void {
    const { bus, host, logger, onRejected, term } = this.#options;
    onRejected();
    logger.warn({ subject: message.subject, problems }, 'message rejected');
    const line = `${message.subject} (${message.sequence}) does not parse: ${problems.join('; ')}`;
    const id = `${message.subject}.${message.sequence}`;
    const event: FleetEvent = { id, name: 'message-rejected', service: 'unknown', problems, line };
    publishEvent(bus, event, host, term.signal, term.scope).catch((error: unknown) =>
      logger.debug({ err: error }, 'not told'),
    );
  }

  /** What people publish, from where the last leader had read. Ends when closed. */
  async hearPeople(): Promise<void> {
    const { term } = this.#options;
    const { releases, controls } = term.read;
    await Promise.all([
      this.#pump(STREAMS.releases, [ALL_RELEASES], releases, async (message) => {
        await this.#take(message, translateRelease(message), 'release-rejected');
        term.hasRead('releases', message);
      }),
      this.#pump(STREAMS.controls, [ALL_CONTROLS], controls, async (message) => {
        const translated = translateControl(message);
        if (isMeant(translated, term.scope)) await this.#take(message, translated, 'control-rejected');
        term.hasRead('controls', message);
      }),
    ]);
  }

  close(): void {
    this.#gathering.close();
    for (const follower of this.#followers) follower.close();
  }
}
