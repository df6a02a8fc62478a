/**
 * Coordinators as programs on a real bus, with a fleet on paper: who leads, and that a change of leaders changes nothing
 * else. The checker looks over the log at the end of every test.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { waveSchema } from '@swell/shared/protocol/orders.ts';
import {
  ALL_ORDERS,
  ALL_ROLLOUTS,
  controlSubject,
  policyKey,
  releaseSubject,
  rolloutKey,
  STREAMS,
  waveKey,
} from '@swell/shared/protocol/subjects.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetLog } from '../fleet/fleet-log.ts';
import { Program } from '../fleet/programs.ts';
import { connectPatiently } from '../support/bus.ts';
import { type DockerRegistry, digestOf, pushImage, startDockerRegistry } from '../support/docker-registry.ts';
import { text } from '../support/listen.ts';
import { type NatsServer, startNats } from '../support/nats.ts';
import { PaperFleet } from '../support/paper-fleet.ts';

const SERVICE = 'web';
const LEASE_MS = 1_000;
/** For a leader who is not to lose it because the machine stands still for a moment. */
const LONG_LEASE_MS = 15_000;
const V0 = digestOf('v0');

const QUICK = {
  approval: 'automatic',
  soak: '0s',
  stages: [10, 50, 100],
  maxUnavailable: 3,
  failureBudget: { max: '50%', minSample: 5 },
};

let server: NatsServer;
let registry: DockerRegistry;
let bus: NatsBus;
let log: FleetLog;
let directory: string;
let programs: Program[];
let fleet: PaperFleet;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swell-coordinators-'));
  programs = [];
  [server, registry] = await Promise.all([startNats(), startDockerRegistry()]);
  bus = await connectPatiently(server, 'coordinator-test');
  log = new FleetLog(bus);
  fleet = new PaperFleet(bus, SERVICE, { eu: 40, us: 20 }, V0);
});

afterEach(async ({ task }) => {
  fleet[Symbol.dispose]();
  await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()));
  await bus[Symbol.asyncDispose]();
  await server.stop();
  await registry[Symbol.asyncDispose]();
  if (task.result?.state === 'pass') await rm(directory, { recursive: true });
});

function start(name: string, leaseMs = LEASE_MS): Program {
  const program = new Program({
    program: 'coordinator',
    logFile: join(directory, `${programs.length}-${name}.log`),
    environment: {
      SWELL_NATS_SERVERS: server.url,
      SWELL_NAME: name,
      SWELL_STATUS_HOST: '127.0.0.1',
      SWELL_STATUS_PORT: '0',
      SWELL_LEASE_MS: String(leaseMs),
      SWELL_PULSE_EVERY_MS: '200',
    },
  });
  programs.push(program);
  return program;
}

const leads = (program: Program, from = 0) => program.line(({ msg }) => msg === 'leading', from);

/** A first coordinator that leads, the policy, and everybody there. */
async function begin(policy: object = QUICK, leaseMs = LEASE_MS): Promise<Program> {
  const program = start('first', leaseMs);
  await leads(program);
  await log.follow();
  await fleet.join();
  await writePolicy(policy);
  return program;
}

async function writePolicy(policy: object): Promise<number> {
  const { sequence } = await bus.publish({
    subject: policyKey(SERVICE),
    body: encode(policy),
    line: 'policy',
  });
  await event('policy-accepted', ({ revision }) => revision === sequence);
  return sequence;
}

async function publish(body: Uint8Array): Promise<number> {
  return (await bus.publish({ subject: releaseSubject(SERVICE), body, line: 'release' })).sequence;
}

async function release(tag: string): Promise<{ readonly rollout: number; readonly digest: string }> {
  const { digest } = await pushImage(registry, SERVICE, tag, tag);
  return { digest, rollout: await publish(encode({ image: `${registry.host}/${SERVICE}:${tag}` })) };
}

async function say(action: string): Promise<void> {
  await bus.publish({ subject: controlSubject(SERVICE), body: encode({ action }), line: action });
}

function event(name: EventName, fits: (event: FleetEvent) => boolean): Promise<FleetEvent> {
  return log.until((entry) =>
    entry.kind === 'event' && entry.event.name === name && fits(entry.event) ? entry.event : undefined,
  );
}

/** What happened in the rollout, in the coordinator's words. */
function told(rollout: number): readonly EventName[] {
  return log.events().flatMap((one) => (one.rollout === rollout ? [one.name] : []));
}

function waves(
  region: string,
  rollout: number,
): readonly { readonly revision: number; readonly wave: Wave }[] {
  return log.entries.flatMap((entry) =>
    entry.kind === 'wave' && entry.wave.region === region && entry.wave.release.rollout === rollout
      ? [entry]
      : [],
  );
}

/** Orders of the rollout: each newer than the one before it, none admitting fewer, none saying the same again. */
function expectSteadyOrders(rollout: number): void {
  for (const region of ['eu', 'us']) {
    const orders = waves(region, rollout);
    const revisions = orders.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
    const cursors = orders.map(({ wave }) => wave.cursor);
    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
    const bodies = orders.map(({ wave }) => JSON.stringify(wave));
    expect(bodies.filter((body, index) => body === bodies[index - 1])).toEqual([]);
  }
}

const WHOLE_WAY: readonly EventName[] = [
  'release-accepted',
  'rollout-started',
  ...Array.from({ length: 3 }, () => ['stage-staging', 'stage-opened', 'stage-finished'] as const).flat(),
  'rollout-settled',
];

test('a leader that is killed half-way is followed by another one, which goes on where it was', async () => {
  const first = await begin();
  const second = start('second');
  const { rollout, digest } = await release('v1');
  fleet.pass(12);
  await fleet.until(12, digest);
  await first.kill();
  // Nobody leads; a node says that it has failed.
  const unlucky = fleet.nodes.find(({ running }) => running === V0);
  if (unlucky === undefined) throw new Error('all have come through');
  await fleet.fail(unlucky, rollout);
  await leads(second);
  fleet.pass();
  await event('rollout-settled', (one) => one.rollout === rollout);
  await event('node-failed', ({ node }) => node === unlucky.node);
  await fleet.until(59, digest);

  expect(told(rollout).filter((name) => name !== 'node-failed')).toEqual(WHOLE_WAY);
  expect(told(rollout).filter((name) => name === 'node-failed').length).toBe(1);
  expectSteadyOrders(rollout);
  expect(log.violations()).toEqual([]);
});

test('a leader that is killed again and again tells everything once, and gets there', async () => {
  let leader = await begin();
  const { rollout, digest } = await release('v1');
  for (const [round, count] of [4, 15, 30, 45].entries()) {
    fleet.pass(count - fleet.on(digest));
    await fleet.until(count, digest);
    await leader.kill();
    leader = start(`next-${round}`);
    await leads(leader);
  }
  fleet.pass();
  await event('rollout-settled', (one) => one.rollout === rollout);
  expect(told(rollout)).toEqual(WHOLE_WAY);
  expectSteadyOrders(rollout);
  expect(log.violations()).toEqual([]);
});

test('a leader that was frozen beyond its lease does no harm when it goes on', async () => {
  const first = await begin();
  const second = start('second');
  const { rollout, digest } = await release('v1');
  fleet.pass(12);
  await fleet.until(12, digest);
  first.signal('SIGSTOP');
  await leads(second);
  fleet.pass(20);
  await fleet.until(32, digest);
  const said = first.said;
  first.signal('SIGCONT');
  const ended = await first.line(({ msg }) => msg === 'term ended', said);
  expect(ended['reason']).not.toBe('the program ends');
  fleet.pass();
  await event('rollout-settled', (one) => one.rollout === rollout);
  expect(told(rollout)).toEqual(WHOLE_WAY);
  expectSteadyOrders(rollout);

  // It leads again when the other one is gone, and knows what has happened meanwhile.
  const next = await release('v2');
  await event('rollout-started', (one) => one.rollout === next.rollout);
  await second.kill();
  await leads(first, said);
  fleet.pass();
  await event('rollout-settled', (one) => one.rollout === next.rollout);
  expect(told(next.rollout)).toEqual(WHOLE_WAY);
  expect(log.violations()).toEqual([]);
});

test('two coordinators of one name do not take the lease from each other', async () => {
  const first = await begin(QUICK, LONG_LEASE_MS);
  const namesake = start('first');
  const { rollout } = await release('v1');
  fleet.pass(12);
  await event('stage-finished', (one) => one.rollout === rollout);
  expect(namesake.has(({ msg }) => msg === 'leading')).toBe(false);
  expect(first.has(({ msg }) => msg === 'term ended')).toBe(false);
  await first.kill();
  await leads(namesake);
  fleet.pass();
  await event('rollout-settled', (one) => one.rollout === rollout);
  expect(told(rollout)).toEqual(WHOLE_WAY);
});

test('a leader that leaves in order is followed at once', async () => {
  const first = await begin();
  const second = start('second');
  expect(await first.stop()).toBe(0);
  await leads(second);
  const { rollout } = await release('v1');
  fleet.pass();
  await event('rollout-settled', (one) => one.rollout === rollout);
  expect(log.violations()).toEqual([]);
});

test('Z6: an undo is released once, though its leader is killed as soon as it has been said', async () => {
  const first = await begin();
  fleet.pass();
  const back = await release('v1');
  await event('rollout-settled', (one) => one.rollout === back.rollout);
  const { rollout } = await release('v2');
  await event('rollout-settled', (one) => one.rollout === rollout);
  const second = start('second');
  await say('undo');
  await first.kill();
  await leads(second);
  const { line } = await event('control-applied', () => true);
  const undone = Number(/^undo of web: release (\d+) is v1$/.exec(line)?.[1]);
  await event('rollout-settled', (one) => one.rollout === undone);
  await fleet.until(60, back.digest);
  const { state } = await bus.manager.streams.info(STREAMS.releases);
  expect([undone, state.messages]).toEqual([rollout + 1, 3]);
  expect(told(undone)).toEqual(WHOLE_WAY);
  expect(log.violations()).toEqual([]);
});

test('after a restart everything is exactly what it was, to the revision', async () => {
  const first = await begin({ ...QUICK, approval: 'manual' });
  const { rollout, digest } = await release('v1');
  fleet.pass();
  await event('approval-awaited', (one) => one.rollout === rollout);
  await say('pause');
  await event('rollout-paused', (one) => one.rollout === rollout);
  await bus.publish({ subject: releaseSubject(SERVICE), body: encode({}), line: 'bad' });
  await event('release-rejected', () => true);
  await first.stop();

  const before = await standing();
  const second = start('second');
  await leads(second);
  // It answers, so it has looked at all of it.
  await say('approve');
  await event('control-rejected', () => true);
  const after = await standing();
  expect(after.orders).toEqual(before.orders);
  // But for the one word, and that it was answered.
  const ofTheWord = { controlsTaken: 0, eventsTold: 0, outbox: [] };
  expect({ ...after.record, ...ofTheWord }).toEqual({ ...before.record, ...ofTheWord });

  await say('resume');
  await say('approve');
  await event('stage-approved', (one) => one.rollout === rollout);
  await fleet.until(30, digest);
  expect(log.violations()).toEqual([]);
});

test('a policy that changes half-way holds at once: slots, stages and approval, and the cursor stays', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout, digest } = await release('v1');
  fleet.pass();
  await event('approval-awaited', (one) => one.rollout === rollout);
  expect(fleet.on(digest)).toBe(6);
  const revision = await writePolicy({ ...QUICK, approval: 'manual', maxUnavailable: 7, stages: [20, 100] });
  await log.until((entry) => (entry.kind === 'wave' && entry.wave.slots === 7 ? entry : undefined));
  expect(revision).toBeGreaterThan(0);
  await say('approve');
  await event('stage-finished', (one) => one.rollout === rollout && one.line.includes('(20 %)'));
  expect(fleet.on(digest)).toBe(12);
  // Not one that makes no sense: it is refused, and what was in force stays so.
  const nonsense = await bus.publish({
    subject: policyKey(SERVICE),
    body: encode({ health: { minHealthyTime: '10m' } }),
    line: 'policy',
  });
  const refused = await event('policy-rejected', ({ revision: of }) => of === nonsense.sequence);
  expect(refused.problems).toEqual(['health.minHealthyTime must be shorter than health.healthyDeadline']);
  await writePolicy(QUICK);
  await event('rollout-settled', (one) => one.rollout === rollout);
  await fleet.until(60, digest);
  expectSteadyOrders(rollout);
  expect(log.violations()).toEqual([]);
});

test('ten releases that are none are refused with their reasons, and stop nobody', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout } = await release('v1');
  fleet.pass();
  await event('approval-awaited', (one) => one.rollout === rollout);
  const before = await standing();
  const image = `${registry.host}/${SERVICE}:v1`;
  const bad: readonly (readonly [body: Uint8Array, problem: RegExp])[] = [
    [new Uint8Array(), /^the message is empty/],
    [new Uint8Array([0xff, 0xfe]), /^the message is not UTF-8/],
    [new TextEncoder().encode(`{"image":"${image}"`), /^the message is not JSON/],
    [encode([image]), /^the message: must be an object, and is a list/],
    [encode({}), /^image: is missing or not text/],
    [encode({ image: 'Not An Image' }), /^image: "Not An Image" is no image reference/],
    [
      encode({ image, imgae: 1, ['k'.repeat(60_000)]: 1 }),
      /^there is no field "imgae" \(did you mean "image"\?\), "k/,
    ],
    [encode({ image, policy: { stages: [50, 25, 100] } }), /^policy\.stages: must rise/],
    [
      encode({ image, policy: { health: { minHealthyTime: '10m' } } }),
      /^policy\.health\.minHealthyTime must be shorter/,
    ],
    [encode({ image: `${registry.host}/${SERVICE}:no-such-tag` }), /^image: .*no-such-tag/],
  ];
  for (const [body, problem] of bad) {
    const number = await publish(body);
    const { problems, line } = await event('release-rejected', (one) => one.rollout === number);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(line.length).toBeLessThanOrEqual(500);
  }
  const after = await standing();
  expect(after.orders).toEqual(before.orders);
  expect(after.record['rollout']).toEqual(before.record['rollout']);
  // And a leader that comes after them reads what is saved.
  await programs[0]?.kill();
  await leads(start('second'));
  await say('approve');
  await event('stage-approved', (one) => one.rollout === rollout);
  expect(log.violations()).toEqual([]);
});

test('an order that somebody writes by hand is put right, by whoever leads', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout } = await release('v1');
  fleet.pass();
  await event('approval-awaited', (one) => one.rollout === rollout);
  const key = waveKey('eu', SERVICE);
  const ours = await bus.readLast(STREAMS.orders, key);
  const parsed = ours === undefined ? undefined : decode(ours.body, waveSchema);
  if (parsed?.ok !== true) throw new Error('there is a wave');
  fleet.pass(0);
  const { sequence } = await bus.publish({
    subject: key,
    body: encode({ ...parsed.value, slots: 1_000 }),
    line: 'all at once!',
  });
  await log.until((entry) =>
    entry.kind === 'wave' && entry.revision > sequence && entry.wave.region === 'eu' ? entry : undefined,
  );
  const put = await bus.readLast(STREAMS.orders, key);
  expect(put?.body).toEqual(ours?.body);
});

test('an order that somebody writes by hand, ahead of what was decided, stops everybody until a person decides', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout } = await release('v1');
  fleet.pass();
  await event('approval-awaited', (one) => one.rollout === rollout);
  const key = waveKey('eu', SERVICE);
  const ours = await bus.readLast(STREAMS.orders, key);
  const parsed = ours === undefined ? undefined : decode(ours.body, waveSchema);
  if (parsed?.ok !== true) throw new Error('there is a wave');
  fleet.pass(0);
  await bus.publish({
    subject: key,
    body: encode({ ...parsed.value, phase: 'open', cursor: 1 }),
    line: 'everybody!',
  });
  expect((await event('record-set-back', () => true)).line).toMatch(/is older than the wave of eu/);
});

test('a service whose record nobody can read keeps no other one from its leader', async () => {
  const first = await begin();
  await first.kill();
  await bus.publish({
    subject: rolloutKey('broken'),
    body: encode({ nonsense: true }),
    line: 'broken',
  });
  await leads(start('second'));
  const refused = await bus.publish({
    subject: releaseSubject('broken'),
    body: encode({ image: 'web' }),
    line: 'release',
  });
  expect((await event('release-rejected', (one) => one.rollout === refused.sequence)).problems).toEqual([
    expect.stringMatching(/^service: its record cannot be read/),
  ]);
  const { rollout } = await release('v1');
  fleet.pass();
  await event('rollout-settled', (one) => one.rollout === rollout);
});

/** What is saved and what stands, with their revisions. */
async function standing(): Promise<{
  readonly record: Readonly<Record<string, unknown>>;
  readonly orders: readonly (readonly [string, number, string])[];
}> {
  const byKey = (messages: readonly StoredMessage[]) =>
    messages
      .toSorted((a, b) => a.sequence - b.sequence)
      .map(({ subject, sequence, body }) => [subject, sequence, text(body)] as const);
  const [record] = await bus.readLastOfEach(STREAMS.rollouts, [ALL_ROLLOUTS]);
  return {
    record: record === undefined ? {} : (JSON.parse(text(record.body)) as Record<string, unknown>),
    orders: byKey(await bus.readLastOfEach(STREAMS.orders, [ALL_ORDERS])),
  };
}
