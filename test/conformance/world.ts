/** What a conformance case can do with a bus, whichever it is: the model in virtual time, one server, or three. */

import {
  type Bus,
  BusError,
  type Publication,
  type Stored,
  type Subscription,
} from '@swell/shared/adapters/bus.ts';
import { readDefinitions } from '@swell/shared/adapters/ensure-topology.ts';
import type { StreamDefinition } from '@swell/shared/adapters/topology-drift.ts';
import { bytes } from '../support/listen.ts';

export interface BusWorld extends AsyncDisposable {
  /** One server keeps every stream, or three keep each. */
  readonly copies: 1 | 3;
  /** Another connection, which stands. A hasty one gives up after a moment what nobody answers, a patient one hardly ever. */
  connect(patience?: Patience): Promise<Bus>;
  /** Resolves once every server knows what the connection listens to. */
  untilHeeded(bus: Bus): Promise<void>;
  /** Lets so much of its time pass. */
  pass(ms: number): Promise<void>;
  /** SIGKILL: what was stored stays. */
  kill(): Promise<void>;
  /** Ends what runs, in order, and begins again on the same disk. Connections come back by themselves. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay, nothing is answered. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** The server that leads a stream dies, and comes back once another leads. Of three only. */
  killLeader(stream: string): Promise<void>;
  /** Makes the streams that are missing; returns their names. */
  ensure(): Promise<readonly string[]>;
  /** Deletes a stream, and makes it again. */
  recreate(stream: string): Promise<void>;
  /** Ends it, copies its disk, and begins again. Of one only. */
  save(): Promise<void>;
  /** Ends it, puts back what was copied, of one stream or of all, and begins again. */
  rewind(stream?: string): Promise<void>;
}

export type Patience = 'patient' | 'hasty';

/** Times in the streams of a test's own are short enough to wait for. */
export const WINDOW_MS = 1_000;
export const AGE_MS = 2_000;
const NANOSECONDS = 1_000_000;

const FOLDER = new URL('../../nats/streams/', import.meta.url);

/**
 * Our own streams, and a few that forget sooner.
 *
 * @param names those that a case needs, where it needs few: each has to elect a leader among three servers
 */
export async function testDefinitions(names?: readonly string[]): Promise<readonly StreamDefinition[]> {
  const ours = await readDefinitions(FOLDER);
  const presence = ours.find(({ name }) => name === NODES);
  const own: StreamDefinition[] = [
    {
      name: 'TEST_WINDOW',
      subjects: ['test.window.*'],
      storage: 'file',
      allow_direct: true,
      duplicate_window: WINDOW_MS * NANOSECONDS,
    },
    {
      name: 'TEST_HISTORY',
      subjects: ['test.history.*'],
      storage: 'file',
      allow_direct: true,
      max_msgs_per_subject: 3,
    },
    {
      ...presence,
      name: PRESENCE,
      subjects: ['$KV.test_presence.>'],
      max_age: AGE_MS * NANOSECONDS,
      duplicate_window: WINDOW_MS * NANOSECONDS,
      republish: { src: '$KV.test_presence.>', dest: 'test.presence.>' },
    },
  ];
  const all = [...own, ...ours];
  return names === undefined ? all : all.filter(({ name }) => names.includes(name));
}

export const SLOTS = 'KV_swell_slots';
export const HEALTH = 'SWELL_HEALTH';
export const LOG = 'SWELL_LOG';
export const NODES = 'KV_swell_nodes';
export const PRESENCE = 'KV_test_presence';

export type MakeWorld = (streams?: readonly string[]) => Promise<BusWorld>;

let regions = 0;
/** Every case writes to a region of its own. */
export const newRegion = (): string => `region-${(regions += 1)}`;
export const slot = (region: string, number = 0): string => `$KV.swell_slots.${region}.web.${number}`;

export function put(
  bus: Bus,
  subject: string,
  body: string,
  more: Partial<Publication> = {},
): Promise<Stored> {
  return bus.publish({ subject, body: bytes(body), line: body.slice(0, 20), ...more });
}

export const codeOf = (error: unknown): unknown => (error instanceof BusError ? error.code : error);

/** How a call failed, in the bus's word for it. */
export const failure = (call: Promise<unknown>): Promise<unknown> => call.then(() => 'no failure', codeOf);

/** Repeats what may be repeated until it is done, as programs do. */
export async function insist<Value>(world: BusWorld, call: () => Promise<Value>): Promise<Value> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof BusError && error.retryable) || tries > 1_200) throw error;
      await world.pass(50);
    }
  }
}

/** Of three servers one has a subscription when it is ready, and tells the others a moment later. */
export async function listening(
  world: BusWorld,
  bus: Bus,
  ...subscriptions: readonly Subscription[]
): Promise<void> {
  await Promise.all(subscriptions.map(({ ready }) => ready));
  await world.untilHeeded(bus);
}

/** Does once more what a server allows for a time of its own only: on a machine that stands still it may have come too late. */
export async function inTime<Told>(
  act: () => Promise<Told>,
  isInTime: (told: Told) => boolean,
): Promise<Told> {
  let told = await act();
  for (let tries = 1; tries < 5 && !isInTime(told); tries += 1) told = await act();
  return told;
}

/** Looks again until it is so. */
export async function eventually(world: BusWorld, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 1_200; looks += 1) {
    if (await isSo()) return;
    await world.pass(50);
  }
  throw new Error('it never became so');
}
