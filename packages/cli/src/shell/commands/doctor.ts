import { BusError } from '@swell/shared/adapters/bus.ts';
import { systemClock } from '@swell/shared/adapters/clock.ts';
import { examineTopology } from '@swell/shared/adapters/examine-topology.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { type Scope, scopesOf } from '@swell/shared/domain/scope.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { leaseSchema } from '@swell/shared/protocol/records.ts';
import { leaseKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { diagnose, drawChecks, type Findings } from '../../core/diagnosis.ts';
import { EXIT } from '../../core/status.ts';
import { atMost, type Command, textOf } from '../command.ts';
import { assignmentsOn } from '../scopes.ts';
import { UsageError } from '../usage.ts';

export const doctor: Command = {
  name: 'doctor',
  usage: '[--monitoring <url,…>]',
  about: 'Looks at servers, streams, buckets, clocks and the coordinator, and says what to do',
  options: { monitoring: { type: 'string' } },
  async run({ args, values, environment, connect, print }) {
    atMost(0, args);
    const monitored = monitoringOf(
      textOf(values, 'monitoring') ?? environment['SWELL_NATS_MONITORING'] ?? '',
    );
    const bus = await connect();
    const examination = await examineTopology(bus, systemClock, monitored);
    const [clock] = examination.clocks;
    const nowMs = systemClock.wallMs() + (clock?.aheadMs ?? 0);
    const assigned = await ifThere(assignmentsOn(bus));
    const scopes = await Promise.all(
      scopesOf(assigned ?? new Map()).map(async (scope) => ({
        scope,
        ...(await leaseOf(bus, nowMs, scope)),
      })),
    );
    const checks = diagnose({
      ...examination,
      monitored,
      ...(await leaseOf(bus, nowMs)),
      scopes,
      unread: [...(assigned ?? [])].flatMap(([region, scope]) => (scope === undefined ? [region] : [])),
    });
    const ok = checks.every(({ state }) => state !== 'concern');
    print({ ok, checks }, drawChecks(checks));
    return ok ? EXIT.done : EXIT.failed;
  },
};

function monitoringOf(text: string): readonly string[] {
  const urls = text
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
  const bad = urls.find((url) => !URL.canParse(url));
  if (bad === undefined) return urls;
  throw new UsageError(`--monitoring: "${bad}" is no address: write http://nats:8222`);
}

/** @param nowMs by the server's clock, which stamps the lease */
async function leaseOf(bus: NatsBus, nowMs: number, scope?: Scope): Promise<Pick<Findings, 'lease'>> {
  const message = await ifThere(bus.readLast(STREAMS.rollouts, leaseKey(scope)));
  const lease = message === undefined || message.deleted ? undefined : decode(message.body, leaseSchema);
  if (message === undefined || lease?.ok !== true) return {};
  const { coordinator, leaseMs } = lease.value;
  return { lease: { coordinator, leaseMs, ageMs: nowMs - message.storedAtMs } };
}

/** No such bucket: that is told already. */
function ifThere<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof BusError && error.code === 'unavailable') return undefined;
    throw error;
  });
}
