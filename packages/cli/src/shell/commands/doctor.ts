import { BusError } from '@swell/shared/adapters/bus.ts';
import { systemClock } from '@swell/shared/adapters/clock.ts';
import { examineTopology } from '@swell/shared/adapters/examine-topology.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { leaseSchema } from '@swell/shared/protocol/records.ts';
import { LEASE_KEY, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { diagnose, drawChecks, type Findings } from '../../core/diagnosis.ts';
import { EXIT } from '../../core/status.ts';
import { atMost, type Command, textOf } from '../command.ts';
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
    const lease = await leaseOf(bus, systemClock.wallMs() + (clock?.aheadMs ?? 0));
    const checks = diagnose({ ...examination, monitored, ...(lease !== undefined && { lease }) });
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
async function leaseOf(bus: NatsBus, nowMs: number): Promise<Findings['lease']> {
  const message = await bus.readLast(STREAMS.rollouts, LEASE_KEY).catch((error: unknown) => {
    // No such bucket: that is told already.
    if (error instanceof BusError && error.code === 'unavailable') return undefined;
    throw error;
  });
  const lease = message === undefined || message.deleted ? undefined : decode(message.body, leaseSchema);
  if (message === undefined || lease?.ok !== true) return undefined;
  const { coordinator, leaseMs } = lease.value;
  return { coordinator, leaseMs, ageMs: nowMs - message.storedAtMs };
}
