/** One performer for each effect of the core: the agent's whole input and output on one screen. */

import { type Bus, BusError } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import { SlotBucket } from '@swell/shared/adapters/slot-bucket.ts';
import type { SlotView } from '@swell/shared/domain/slot.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { readHalt, readWave } from '@swell/shared/protocol/orders.ts';
import { describeReport } from '@swell/shared/protocol/reports.ts';
import { haltKey, healthSubject, STREAMS, waveKey } from '@swell/shared/protocol/subjects.ts';
import { type Engine, EngineError } from '../adapters/engine.ts';
import type { Operator } from '../adapters/operator.ts';
import type { Effect, Timer } from '../core/effects.ts';
import type { AgentEvent, Told } from '../core/events.ts';
import type { Self } from '../core/state.ts';

const IN_FLIGHT_TIMEOUT_MS = 2_000;

export interface PerformerContext {
  readonly self: Self;
  readonly engine: Engine;
  /** The node's policy file. */
  readonly operator: Operator;
  /** Missing until the first connection stands. */
  readonly bus: () => Bus | undefined;
  readonly host: Host;
  /** Aborted when the agent has come to rest and ends. */
  readonly signal: AbortSignal;
  readonly setTimer: (timer: Timer, delayMs: number) => void;
  readonly clearTimer: (timer: Timer) => void;
  /** Resolves once every change of a slot is heard, where one listens. */
  readonly slotsHeard: () => Promise<void>;
  /** What the core knows of them. */
  readonly slotsKnown: () => SlotView;
}

type Performers = {
  readonly [Kind in Effect['kind']]: (
    effect: Extract<Effect, { readonly kind: Kind }>,
    context: PerformerContext,
  ) => Promise<AgentEvent | undefined>;
};

const PERFORMERS: Performers = {
  observe: ({ era }, { engine, self }) =>
    byEngine(
      async () => ({ kind: 'observed', era, observation: await engine.observe(self.service) }),
      ({ message }) => ({ kind: 'not-observed', era, reason: message }),
    ),

  'stage-image': ({ image }, { engine, self, signal }) =>
    byEngine(
      async () => {
        await engine.stageImage(image, signal, self.service);
        return { kind: 'image-staged', digest: image.digest };
      },
      ({ message, retryAfterMs, code }) => ({
        kind: 'image-not-staged',
        digest: image.digest,
        reason: message,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
        ...(code === 'no-room' && { lacksRoom: true }),
      }),
    ),

  'clean-images': ({ wanted }, { engine, self }) =>
    byEngine(
      async () => {
        const removed = await engine.cleanImages(self.service, wanted);
        return removed.length === 0 ? undefined : { kind: 'images-cleaned', removed };
      },
      ({ message }) => ({ kind: 'images-not-cleaned', reason: message }),
    ),

  'read-orders': ({ asked, beyond: lost }, { self, bus, host, operator }) =>
    byBus(
      bus,
      async (connected): Promise<AgentEvent> => {
        const [wave, halt, beyond, read] = await Promise.all([
          readOrder(connected, waveKey(self.region, self.service), (body) => readWave(body, self)),
          readOrder(connected, haltKey(self.service), (body) => readHalt(body, self)),
          lost && slotsOf(connected, host, self).readSince(lost.ours, lost.slots),
          operator.read(self.service),
        ]);
        if (typeof wave === 'string') return { kind: 'orders-not-read', asked, reason: wave };
        if (typeof halt === 'string') return { kind: 'orders-not-read', asked, reason: halt };
        const word = { read, wallMs: host.wallMs() };
        return { kind: 'orders-read', asked, wave, halt, word, ...(beyond !== undefined && { beyond }) };
      },
      (reason) => ({ kind: 'orders-not-read', asked, reason }),
    ),

  'read-slots': (_effect, { self, bus, host, slotsHeard, slotsKnown }) =>
    byBus(
      bus,
      async (connected) => {
        await slotsHeard();
        const slots = slotsOf(connected, host, self);
        // Before they are read: what is heard meanwhile may be newer.
        const known = slotsKnown();
        const entries = await slots.readAll();
        return { kind: 'slots-read', entries, fallen: await slots.readFallen(known, entries) };
      },
      () => undefined,
    ),

  'claim-slot': ({ slot, expect, holder }, { self, bus, host }) =>
    byBus(
      bus,
      async (connected): Promise<AgentEvent> => {
        const outcome = await slotsOf(connected, host, self).write(slot, expect, holder);
        if (outcome.is === 'stored') return { kind: 'slot-claimed', slot, revision: outcome.revision };
        return { kind: 'slot-not-claimed', slot, entry: outcome.entry ?? { revision: 0 } };
      },
      () => ({ kind: 'slot-not-claimed', slot }),
    ),

  'renew-slot': ({ slot, expect, holder }, { self, bus, host }) => {
    const sentAtMs = host.monotonicMs();
    return byBus(
      bus,
      async (connected): Promise<AgentEvent> => {
        const outcome = await slotsOf(connected, host, self).write(slot, expect, holder);
        if (outcome.is === 'taken') return { kind: 'slot-not-renewed', slot, lost: true };
        return { kind: 'slot-renewed', slot, revision: outcome.revision, sentAtMs, holder };
      },
      () => ({ kind: 'slot-not-renewed', slot, lost: false }),
    );
  },

  'free-slot': ({ slot, expect, holder }, { self, bus, host, signal }) =>
    byBus(
      bus,
      async (connected) => {
        const line = `${self.service} in ${self.region}: ${holder.node} frees slot ${slot}`;
        await slotsOf(connected, host, self).free(slot, expect, line, signal);
        return undefined;
      },
      // What the bucket still says is ours is freed at the next look.
      () => undefined,
    ),

  'prepare-swap': ({ order }, { engine }) =>
    byEngine(
      async () => {
        await engine.prepareSwap(order);
        return { kind: 'swap-prepared' };
      },
      ({ message, retryable, code }) => ({
        kind: 'swap-not-prepared',
        reason: message,
        retryable,
        ...(code === 'image-missing' && { imageIsGone: true }),
        ...(code === 'no-room' && { lacksRoom: true }),
      }),
    ),

  'ask-leave': ({ attempt }, { engine, self }) =>
    byEngine(
      async () => ({ kind: 'leave-answered', attempt, leave: await engine.askLeave(self.service) }),
      ({ message }) => ({ kind: 'leave-answered', attempt, leave: { is: 'deferred', why: message } }),
    ),

  confirm: (_effect, { engine, self }) =>
    byEngine(
      async () => {
        const why = await engine.confirm(self.service);
        return { kind: 'confirmed', ...(why !== undefined && { why }) };
      },
      ({ message }) => ({ kind: 'not-confirmed', reason: message }),
    ),

  'count-in-flight': async ({ inFlight }, { engine, self }) => {
    const count = await engine.countInFlight(self.service, inFlight, IN_FLIGHT_TIMEOUT_MS);
    return { kind: 'in-flight-counted', ...(count !== undefined && { count }) };
  },

  'start-beside': (_effect, { engine, self }) =>
    byEngine(
      async () => ({ kind: 'started-beside', isBeside: await engine.startBeside(self.service) }),
      notSwapped,
    ),

  'cut-over': ({ left }, { engine, self }) =>
    byEngine(async () => {
      const others = await engine.cutOver(self.service, left);
      return { kind: 'swapped', ...(others > 0 && { left: others }) };
    }, notSwapped),

  probe: ({ attempt, probe, timeoutMs }, { engine, self }) =>
    byEngine(
      async () => ({ kind: 'probed', attempt, outcome: await engine.probe(self.service, probe, timeoutMs) }),
      ({ message }) => ({ kind: 'probed', attempt, outcome: { healthy: false, seen: message } }),
    ),

  'commit-swap': (_effect, { engine, self }) =>
    byEngine(
      async () => {
        await engine.commitSwap(self.service);
        const { digests } = await engine.observe(self.service);
        return { kind: 'swap-committed', digests };
      },
      ({ message }) => ({ kind: 'swap-not-committed', reason: message }),
    ),

  'undo-swap': (_effect, { engine, self }) =>
    byEngine(
      async () => {
        await engine.undoSwap(self.service);
        return { kind: 'swap-undone' };
      },
      ({ message, code }) => ({
        kind: 'swap-not-undone',
        reason: message,
        ...(code === 'irreversible' && { isOneWay: true }),
      }),
    ),

  'send-report': ({ report }, { bus }) =>
    byBus(
      bus,
      async (connected) => {
        await connected.publish({
          subject: healthSubject(report.region, report.service, report.node),
          body: encode(report),
          line: describeReport(report),
          id: report.id,
        });
        return { kind: 'report-stored', id: report.id };
      },
      () => ({ kind: 'report-not-stored', id: report.id }),
    ),

  async 'set-timer'({ timer, minMs, maxMs }, { host, setTimer }) {
    setTimer(timer, minMs + host.random() * (maxMs - minMs));
    return undefined;
  },

  async 'clear-timer'({ timer }, { clearTimer }) {
    clearTimer(timer);
    return undefined;
  },
};

/** Performs one effect to its end; what came of it is an event of the core. */
export function perform(effect: Effect, context: PerformerContext): Promise<AgentEvent | undefined> {
  const performer = PERFORMERS[effect.kind] as (
    effect: Effect,
    context: PerformerContext,
  ) => Promise<AgentEvent | undefined>;
  return performer(effect, context);
}

/** Failures of the engine are events; anything else is a bug, and crashes. */
async function byEngine(
  act: () => Promise<AgentEvent | undefined>,
  failed: (error: EngineError) => AgentEvent,
): Promise<AgentEvent | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof EngineError) return failed(error);
    throw error;
  }
}

function notSwapped({ message: reason, retryable, code }: EngineError): AgentEvent {
  return { kind: 'not-swapped', reason, retryable, ...(code === 'no-container' && { isGone: true }) };
}

async function byBus(
  bus: () => Bus | undefined,
  act: (bus: Bus) => Promise<AgentEvent | undefined>,
  failed: (reason: string) => AgentEvent | undefined,
): Promise<AgentEvent | undefined> {
  const connected = bus();
  if (connected === undefined) return failed('the bus is out of reach');
  try {
    return await act(connected);
  } catch (error) {
    if (error instanceof BusError) return failed(error.message);
    if (error instanceof Error && error.name === 'AbortError') return undefined;
    throw error;
  }
}

function slotsOf(bus: Bus, host: Host, { region, service }: Self): SlotBucket {
  return new SlotBucket(bus, host, region, service);
}

/** An order from the leader, or what is wrong with it: one that does not parse is not obeyed, and not forgotten (I13). */
async function readOrder<Order>(
  bus: Bus,
  key: string,
  read: (body: Uint8Array) => Parsed<Order>,
): Promise<Told<Order> | string> {
  const message = await bus.readLast(STREAMS.orders, key);
  if (message === undefined) return { revision: 0 };
  if (message.deleted) return { revision: message.sequence };
  const order = read(message.body);
  return order.ok
    ? { revision: message.sequence, order: order.value }
    : `${key}: ${order.problems.join('; ')}`;
}
