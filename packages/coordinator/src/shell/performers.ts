/** One performer for each effect of the core: the coordinator's whole output on one screen. */

import { type Bus, BusError, type Publication } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import { publishUntilStored } from '@swell/shared/adapters/persistent-publish.ts';
import type { Registry } from '@swell/shared/adapters/registry.ts';
import { RegistryError } from '@swell/shared/adapters/registry-error.ts';
import { SlotBucket } from '@swell/shared/adapters/slot-bucket.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { GateAnswer } from '@swell/shared/domain/gate.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { describeHalt, describeWave } from '@swell/shared/protocol/orders.ts';
import { eventSubject, haltKey, waveKey } from '@swell/shared/protocol/subjects.ts';
import type { Prometheus } from '../adapters/prometheus.ts';
import type { Effect } from '../core/effects.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { GateQuestion } from '../core/limits/gate-watch.ts';
import { NO_PROMETHEUS } from '../core/limits/gates.ts';
import { publishRelease } from './release-publisher.ts';
import { resolveRelease } from './resolving.ts';
import type { TagLooks } from './tag-looks.ts';

export interface PerformerContext {
  readonly service: string;
  readonly scope?: Scope;
  /** Whose orders these are: of two leaders, neither may take the other's for its own. */
  readonly term: number;
  readonly bus: Bus;
  readonly registry: Registry;
  readonly prometheus?: Prometheus;
  readonly looks: TagLooks;
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly post: (event: CoordinatorEvent) => void;
}

type Performers = {
  readonly [Kind in Effect['kind']]: (
    effect: Extract<Effect, { readonly kind: Kind }>,
    context: PerformerContext,
  ) => Promise<void>;
};

const PERFORMERS: Performers = {
  async 'publish-wave'({ wave, expect }, { scope, term, bus, host, signal, post }) {
    const { sequence } = await publishUntilStored(
      bus,
      {
        subject: waveKey(wave.region, wave.service),
        body: encode(wave),
        line: describeWave(wave),
        id: orderId(scope, term, expect),
        expectLast: expect,
      },
      host,
      signal,
    );
    post({ kind: 'wave-stored', region: wave.region, revision: sequence, wave });
  },

  async 'publish-halt'({ halt, expect }, { service, scope, term, bus, host, signal, post }) {
    const place = { subject: haltKey(service), id: orderId(scope, term, expect), expectLast: expect };
    const publication: Publication =
      halt === undefined
        ? { ...place, body: new Uint8Array(), line: `${service}: the halt is lifted`, deletes: true }
        : { ...place, body: encode(halt), line: describeHalt(halt) };
    const { sequence } = await publishUntilStored(bus, publication, host, signal);
    post({ kind: 'halt-stored', revision: sequence, halt });
  },

  async 'clear-slot'({ region, slot, expect }, { service, bus, host, signal }) {
    const line = `${service} in ${region}: slot ${slot} was lost and is cleared`;
    // Where this is cut off, the slot is seen as lost once more.
    await new SlotBucket(bus, host, region, service).free(slot, expect, line, signal);
  },

  async 'publish-release'({ publishing, expect }, context) {
    const failure = await publishRelease(publishing, expect, context);
    // Where it was stored, the stream tells.
    if (failure !== undefined) context.post(failure);
  },

  async tell({ event }, { scope, bus, host, signal, post }) {
    await publishEvent(bus, event, host, signal, scope);
    post({ kind: 'event-stored', id: event.id });
  },

  async 'ask-gate'(question, context) {
    context.post({
      kind: 'gate-answered',
      asking: question.asking,
      answer: await askGate(question, context),
    });
  },

  /** Once; the core asks again, for as long as the release is wanted. */
  async 'resolve-image'({ rollout, image }, { registry, signal, post }) {
    try {
      post({ kind: 'image-resolved', rollout, ...(await resolveRelease(registry, image, signal)) });
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const { message: reason, retryable: retrying, retryAfterMs } = error;
      post({
        kind: 'image-not-resolved',
        rollout,
        reason,
        retrying,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
    }
  },

  async 'look-at-tag'({ image }, { looks, signal, post }) {
    try {
      post({ kind: 'tag-seen', image, ...(await looks.look(image, signal)) });
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const { message: reason, retryAfterMs } = error;
      post({ kind: 'tag-not-seen', image, reason, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    }
  },
};

async function askGate(
  { query, others }: GateQuestion,
  { prometheus, signal }: PerformerContext,
): Promise<GateAnswer> {
  if (prometheus === undefined) return { is: 'none', why: NO_PROMETHEUS };
  const [updated, rest] = await Promise.all(
    [query, ...(others === undefined ? [] : [others])].map((one) => prometheus.query(one, signal)),
  );
  if (updated?.is !== 'value') return updated ?? { is: 'none', why: 'no data' };
  if (rest === undefined) return updated;
  if (rest.is === 'none') return { is: 'none', why: `of the nodes that are not updated: ${rest.why}` };
  return { ...updated, others: rest.value };
}

/**
 * Within a term one order at most follows a revision. In another one it may say something else: a leader whose write is
 * refused, because a rival's stands there, must not find its own name on it. Terms are counted in each scope.
 */
function orderId(scope: Scope | undefined, term: number, expect: number): string {
  return scope === undefined ? `${term}.${expect}` : `${scope}.${term}.${expect}`;
}

/** Performs one effect to its end. Throws `conflict` where somebody else writes our orders: we lead no more. */
export async function perform(effect: Effect, context: PerformerContext): Promise<void> {
  const performer = PERFORMERS[effect.kind] as (effect: Effect, context: PerformerContext) => Promise<void>;
  try {
    await performer(effect, context);
  } catch (error) {
    const isPassing = error instanceof BusError && error.retryable;
    if (!context.signal.aborted && !isPassing) throw error;
  }
}

/** Every scope's leader tells for itself, also where it has the same to say. */
export async function publishEvent(
  bus: Bus,
  event: FleetEvent,
  host: Host,
  signal: AbortSignal,
  scope?: Scope,
): Promise<void> {
  const told: FleetEvent = scope === undefined ? event : { ...event, id: `${scope}.${event.id}`, scope };
  const { id, line, service, name } = told;
  await publishUntilStored(
    bus,
    { subject: eventSubject(service, name), body: encode(told), line, id },
    host,
    signal,
  );
}
