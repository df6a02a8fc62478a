/**
 * An agent's life: look at the engine and recover, whether or not there is a bus; then connect, listen, and let every
 * service's core decide. When it ends, nothing is left half-way.
 */

import type { Bus, HeardMessage } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { Explanation, Presence, ServicePresence } from '@swell/shared/domain/report.ts';
import type { Rotation } from '@swell/shared/domain/traffic.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { pulseSchema } from '@swell/shared/protocol/pulse.ts';
import {
  askSubject,
  HALT_HEARD,
  lastToken,
  pulseSubject,
  waveHeard,
} from '@swell/shared/protocol/subjects.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { type Engine, EngineError } from '../adapters/engine.ts';
import type { Journals } from '../adapters/journal.ts';
import type { Operator } from '../adapters/operator.ts';
import { EMPTY_JOURNAL, type ServiceState } from '../core/state.ts';
import { PresenceKeeper } from './presence.ts';
import { Service, type ServiceOptions } from './service.ts';

/** A swap may have to be undone first. */
const STOP_MAX_MS = 60_000;
const LAST_WORDS_MS = 3_000;
const REST_LOOK_MS = 50;
const ENGINE_RETRY_MS = 2_000;
const DISCOVER_EVERY_MS = 30_000;
const REFRESH_SPREAD_MS = 2_000;

/** Everything that an agent touches: production opens the real things, the simulation lends its own. */
export interface AgentOptions {
  readonly region: Region;
  readonly node: NodeId;
  readonly labels?: readonly string[];
  readonly presenceEveryMs: number;
  readonly host: Host;
  readonly engine: Engine;
  readonly operator: Operator;
  readonly journals: Journals;
  /** Resolves with the first connection, however long that takes. */
  readonly connectBus: (signal: AbortSignal) => Promise<Bus>;
  readonly logger: Logger;
  readonly onHandled: ServiceOptions['onHandled'];
}

export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #services = new Map<ServiceName, Service>();
  readonly #presence: PresenceKeeper;
  readonly #failed = new AbortController();
  #bus: Bus | undefined;
  #term = 0;
  #hasLooked = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#presence = new PresenceKeeper(
      () => this.#bus,
      options.host,
      () => this.#readPresence(),
      options.presenceEveryMs,
    );
  }

  get isConnected(): boolean {
    return this.#bus?.connection === 'connected';
  }

  states(): readonly ServiceState[] {
    return [...this.#services.values()].map(({ state }) => state);
  }

  /** The services that have been found here. */
  get serviceNames(): readonly ServiceName[] {
    return [...this.#services.keys()];
  }

  /** The services that something has begun with, and that have not come to rest. */
  get inTheMiddle(): readonly ServiceName[] {
    return [...this.#services].filter(([, { isInTheMiddle }]) => isInTheMiddle).map(([name]) => name);
  }

  /** What whoever balances the load is told of a service; undefined: there is none of that name. */
  tellRotation(service: ServiceName): Rotation | undefined {
    return this.#services.get(service)?.tellRotation();
  }

  readiness(): { readonly ready: boolean; readonly reason?: string } {
    if (!this.#hasLooked) return { ready: false, reason: 'the container engine has not answered yet' };
    return this.isConnected ? { ready: true } : { ready: false, reason: 'the bus is out of reach' };
  }

  async run(signal: AbortSignal): Promise<void> {
    const ending = AbortSignal.any([signal, this.#failed.signal]);
    const { region, engine, logger } = this.#options;
    logger.info({ region, engine: engine.kind, version: VERSION }, 'agent begins');
    const lives = [this.#discover(ending), this.#watchEngine(), this.#liveOnBus(ending)];
    const ended = new Promise<void>((resolve) =>
      ending.addEventListener('abort', () => resolve(), { once: true }),
    );
    try {
      await Promise.race([Promise.all(lives), ended]);
    } catch (error) {
      if (!ending.aborted) throw error;
    }
    for (const life of lives) life.catch(() => {});
    if (this.#failed.signal.aborted) throw this.#failed.signal.reason;
    await this.#comeToRest();
  }

  /** Ends at once, half-way or not: {@link run} throws the reason, and whoever acts next recovers. */
  abandon(reason: unknown): void {
    this.#failed.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services.values()) service[Symbol.dispose]();
    this.#presence[Symbol.dispose]();
    await this.#bus?.[Symbol.asyncDispose]();
    await this.#options.engine[Symbol.asyncDispose]();
  }

  /** Finds the services that have containers here, now and again: one that appears is recovered before anything else. */
  async #discover(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      try {
        for (const service of await this.#options.engine.services()) await this.#add(service);
        this.#hasLooked = true;
        await this.#options.host.sleep(DISCOVER_EVERY_MS, ending);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        this.#options.logger.warn({ err: error }, 'the engine does not answer');
        await this.#options.host.sleep(ENGINE_RETRY_MS, ending);
      }
    }
  }

  async #watchEngine(): Promise<void> {
    for await (const name of this.#options.engine.changes()) {
      const service = this.#services.get(name);
      if (service === undefined) await this.#add(name);
      else service.post({ kind: 'container-changed' });
    }
  }

  async #add(name: ServiceName): Promise<void> {
    if (this.#services.has(name)) return;
    const { region, node, labels = [], engine, operator, host, journals, logger, onHandled } = this.#options;
    const { journal, problems } = await journals.load(name);
    if (problems.length > 0) {
      logger.error({ service: name, problems }, 'the journal did not parse and was put aside');
    }
    if (this.#services.has(name)) return;
    const service = new Service({
      self: { region, node, service: name, labels },
      engine,
      operator,
      bus: () => this.#bus,
      host,
      journal: { ...(journal ?? EMPTY_JOURNAL), mark: newMark(host) },
      journals,
      logger,
      onHandled: (self, event, before, after) => {
        onHandled(self, event, before, after);
        this.#presence.touched();
      },
      onFailed: (error) => this.#failed.abort(error),
    });
    this.#services.set(name, service);
    logger.info({ service: name }, 'service found');
    if (this.isConnected) service.post({ kind: 'connected' });
  }

  async #liveOnBus(ending: AbortSignal): Promise<void> {
    const { region, node, connectBus } = this.#options;
    const bus = await connectBus(ending);
    this.#bus = bus;
    // Subscribed and flushed before anything is read: what changes between the two is heard.
    await Promise.all([
      this.#listen(bus, waveHeard(region), (message) =>
        this.#services.get(lastToken(message.subject))?.hearOrder(message),
      ),
      this.#listen(bus, HALT_HEARD, (message) =>
        this.#services.get(lastToken(message.subject))?.hearOrder(message),
      ),
      this.#listen(bus, pulseSubject(region), (message) => this.#hearPulse(message)),
      this.#listen(bus, askSubject(region, node), (message) => message.answer?.(encode(this.#explain()))),
    ]);
    for await (const state of bus.connectionChanges()) {
      this.#options.logger.info({ connection: state }, 'bus');
      for (const service of this.#services.values()) service.post({ kind: state });
      if (state === 'connected') this.#presence.refresh(REFRESH_SPREAD_MS);
    }
  }

  async #listen(bus: Bus, subject: string, hear: (message: HeardMessage) => void): Promise<void> {
    const subscription = bus.subscribe(subject);
    void (async () => {
      for await (const message of subscription) hear(message);
    })().catch((error: unknown) => this.#failed.abort(error));
    await subscription.ready.catch((error: unknown) =>
      this.#options.logger.warn({ err: error, subject }, 'not flushed'),
    );
  }

  #hearPulse(message: HeardMessage): void {
    const pulse = decode(message.body, pulseSchema);
    if (!pulse.ok) {
      const { problems } = pulse;
      return this.#options.logger.warn({ subject: message.subject, problems }, 'message rejected');
    }
    const { term, orders } = pulse.value;
    // A new leader may have lost sight of us with the bus's memory.
    if (term > this.#term) this.#presence.refresh(REFRESH_SPREAD_MS);
    this.#term = Math.max(this.#term, term);
    for (const [name, { wave, halt }] of Object.entries(orders)) {
      this.#services.get(name)?.post({ kind: 'pulse-heard', term, wave, halt });
    }
  }

  /** B15. Why does this node wait? One sentence for each service. */
  #explain(): Explanation {
    const { region, node } = this.#options;
    const services = [...this.#services].map(([name, service]) => [name, service.explain()]);
    return { region, node, services: Object.fromEntries(services) as Explanation['services'] };
  }

  /** A coordinator that misses a service in it takes the node for one that has it no more. */
  #readPresence(): Presence | undefined {
    const { region, node, labels = [] } = this.#options;
    if (!this.#hasLooked || !this.states().every(({ recovered }) => recovered)) return undefined;
    const services: Record<ServiceName, ServicePresence> = {};
    for (const [name, service] of this.#services) {
      const presence = service.presence();
      if (presence !== undefined) services[name] = presence;
    }
    return { region, node, agentVersion: VERSION, ...(labels.length > 0 && { labels }), services };
  }

  /** Swaps under way are undone or finished; results are given a moment to leave. */
  async #comeToRest(): Promise<void> {
    const { host, logger } = this.#options;
    const services = [...this.#services.values()];
    const within = async (ms: number, isOver: () => boolean): Promise<void> => {
      const endMs = host.monotonicMs() + ms;
      const isLate = (): boolean => this.#failed.signal.aborted || host.monotonicMs() >= endMs;
      while (!isOver() && !isLate()) await host.sleep(REST_LOOK_MS);
    };
    for (const service of services) service.post({ kind: 'stop-requested' });
    await within(STOP_MAX_MS, () => services.every(({ isInTheMiddle }) => !isInTheMiddle));
    await within(LAST_WORDS_MS, () => !this.isConnected || services.every(({ isAtRest }) => isAtRest));
    const left = services.filter(({ isInTheMiddle }) => isInTheMiddle).map(({ state }) => state.self.service);
    if (left.length > 0) {
      logger.error({ services: left }, 'ended in the middle of a swap; the next start recovers it');
    }
  }
}

/** Six letters or digits and what ends them: two billion, of which one node uses a few in its life. */
function newMark(host: Host): string {
  return `${Math.floor(host.random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0')}-`;
}
