/**
 * An agent's life: look at the engine and recover, whether or not there is a bus; then connect, listen, and let every
 * service's core decide. When it ends, nothing is left half-way.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Bus, HeardMessage } from '@swell/shared/adapters/bus.ts';
import { systemClock } from '@swell/shared/adapters/clock.ts';
import { createLogger, type Logger } from '@swell/shared/adapters/logger.ts';
import { connectNats } from '@swell/shared/adapters/nats-bus.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Presence, ServicePresence } from '@swell/shared/domain/report.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { pulseSchema } from '@swell/shared/protocol/pulse.ts';
import {
  HALT_HEARD,
  lastToken,
  pulseSubject,
  slotHeard,
  waveHeard,
} from '@swell/shared/protocol/subjects.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { type Engine, EngineError } from '../adapters/engine.ts';
import { JournalStore } from '../adapters/journal.ts';
import type { AgentConfig } from './config.ts';
import { AgentMetrics } from './metrics.ts';
import { PresenceKeeper } from './presence.ts';
import { Service } from './service.ts';

/** A swap may have to be undone first. */
const STOP_MAX_MS = 60_000;
const LAST_WORDS_MS = 3_000;
const ENGINE_RETRY_MS = 2_000;
const DISCOVER_EVERY_MS = 30_000;
const REFRESH_SPREAD_MS = 2_000;

/** Runs until the signal aborts and every service has come to rest. */
export async function runAgent(config: AgentConfig, engine: Engine, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ name: 'agent', level: config.logLevel }).child({ node: config.node });
  await using agent = new Agent(config, engine, await JournalStore.open(config.stateDir), logger);
  await using _status = await startStatusServer({
    ...config.status,
    live: () => true,
    ready: () => agent.readiness(),
    metrics: () => agent.metrics.registry.metrics(),
    contentType: agent.metrics.registry.contentType,
  });
  await agent.run(signal);
}

class Agent implements AsyncDisposable {
  readonly metrics: AgentMetrics;
  readonly #config: AgentConfig;
  readonly #engine: Engine;
  readonly #store: JournalStore;
  readonly #logger: Logger;
  readonly #services = new Map<ServiceName, Service>();
  readonly #presence: PresenceKeeper;
  readonly #failed = new AbortController();
  readonly #nowMs = (): number => systemClock.monotonicMs();
  #bus: (Bus & AsyncDisposable) | undefined;
  #term = 0;
  #hasLooked = false;

  constructor(config: AgentConfig, engine: Engine, store: JournalStore, logger: Logger) {
    this.#config = config;
    this.#engine = engine;
    this.#store = store;
    this.#logger = logger;
    const states = () => [...this.#services.values()].map(({ state }) => state);
    this.metrics = new AgentMetrics(VERSION, states, () => this.#isConnected, this.#nowMs);
    this.#presence = new PresenceKeeper(
      () => this.#bus,
      () => this.#readPresence(),
      config.presenceEveryMs,
    );
  }

  readiness(): { readonly ready: boolean; readonly reason?: string } {
    if (!this.#hasLooked) return { ready: false, reason: 'the container engine has not answered yet' };
    return this.#isConnected ? { ready: true } : { ready: false, reason: 'the bus is out of reach' };
  }

  async run(signal: AbortSignal): Promise<void> {
    const ending = AbortSignal.any([signal, this.#failed.signal]);
    const { region } = this.#config;
    this.#logger.info({ region, engine: this.#engine.kind, version: VERSION }, 'agent begins');
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services.values()) service[Symbol.dispose]();
    this.#presence[Symbol.dispose]();
    await this.#bus?.[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
  }

  get #isConnected(): boolean {
    return this.#bus?.connection === 'connected';
  }

  /** Finds the services that have containers here, now and again: one that appears is recovered before anything else. */
  async #discover(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      try {
        for (const service of await this.#engine.services()) await this.#add(service);
        this.#hasLooked = true;
        await delay(DISCOVER_EVERY_MS, undefined, { signal: ending });
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        this.#logger.warn({ err: error }, 'the engine does not answer');
        await delay(ENGINE_RETRY_MS, undefined, { signal: ending });
      }
    }
  }

  async #watchEngine(): Promise<void> {
    for await (const name of this.#engine.changes()) {
      const service = this.#services.get(name);
      if (service === undefined) await this.#add(name);
      else service.post({ kind: 'container-changed' });
    }
  }

  async #add(name: ServiceName): Promise<void> {
    if (this.#services.has(name)) return;
    const { region, node } = this.#config;
    const { journal, problems } = await this.#store.load(name);
    if (problems.length > 0)
      this.#logger.error({ service: name, problems }, 'the journal did not parse and was put aside');
    if (this.#services.has(name)) return;
    const service = new Service({
      self: { region, node, service: name },
      engine: this.#engine,
      bus: () => this.#bus,
      nowMs: this.#nowMs,
      journal,
      store: this.#store,
      logger: this.#logger,
      onHandled: (self, event, before, after) => {
        this.metrics.handled(self, event, before, after);
        this.#presence.touched();
      },
      onFailed: (error) => this.#failed.abort(error),
    });
    this.#services.set(name, service);
    this.#logger.info({ service: name }, 'service found');
    if (this.#bus !== undefined) await this.#listenFor(this.#bus, name);
  }

  async #liveOnBus(ending: AbortSignal): Promise<void> {
    const { region } = this.#config;
    const bus = await connectNats({
      ...this.#config.bus,
      firstConnectTimeoutMs: Number.POSITIVE_INFINITY,
      signal: ending,
      onNotice: ({ kind, ...notice }) => this.#logger.warn({ notice: kind, ...notice }, 'bus notice'),
    });
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
      ...[...this.#services.keys()].map((service) => this.#listenFor(bus, service, false)),
    ]);
    for await (const state of bus.connectionChanges()) {
      this.#logger.info({ connection: state }, 'bus');
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
      this.#logger.warn({ err: error, subject }, 'not flushed'),
    );
  }

  async #listenFor(bus: Bus, name: ServiceName, tell = true): Promise<void> {
    await this.#listen(bus, slotHeard(this.#config.region, name), (message) =>
      this.#services.get(name)?.hearSlot(message),
    );
    if (tell && this.#isConnected) this.#services.get(name)?.post({ kind: 'connected' });
  }

  #hearPulse(message: HeardMessage): void {
    const pulse = decode(message.body, pulseSchema);
    if (!pulse.ok)
      return this.#logger.warn({ subject: message.subject, problems: pulse.problems }, 'message rejected');
    const { term, orders } = pulse.value;
    // A new leader may have lost sight of us with the bus's memory.
    if (term > this.#term) this.#presence.refresh(REFRESH_SPREAD_MS);
    this.#term = Math.max(this.#term, term);
    for (const [name, { wave, halt }] of Object.entries(orders)) {
      this.#services.get(name)?.post({ kind: 'pulse-heard', term, wave, halt });
    }
  }

  #readPresence(): Presence {
    const { region, node } = this.#config;
    const services: Record<ServiceName, ServicePresence> = {};
    for (const [name, service] of this.#services) {
      const presence = service.presence();
      if (presence !== undefined) services[name] = presence;
    }
    return { region, node, agentVersion: VERSION, services };
  }

  /** Swaps under way are undone or finished; results are given a moment to leave. */
  async #comeToRest(): Promise<void> {
    const startedMs = this.#nowMs();
    for (const service of this.#services.values()) service.post({ kind: 'stop-requested' });
    const services = [...this.#services.values()];
    while (this.#nowMs() - startedMs < STOP_MAX_MS && services.some(({ isInTheMiddle }) => isInTheMiddle))
      await delay(50);
    const wordsMs = this.#nowMs();
    while (
      this.#isConnected &&
      this.#nowMs() - wordsMs < LAST_WORDS_MS &&
      services.some(({ isAtRest }) => !isAtRest)
    ) {
      await delay(50);
    }
    const left = services.filter(({ isInTheMiddle }) => isInTheMiddle).map(({ state }) => state.self.service);
    if (left.length > 0)
      this.#logger.error({ services: left }, 'ended in the middle of a swap; the next start recovers it');
  }
}
