/**
 * Coordinators as programs on a real bus, with a fleet on paper: who leads, and that a change of leaders changes nothing
 * else. The checker looks over the log at the end of every test.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { EventName } from '@swell/shared/domain/event.ts';
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
import { Coordinators, isLeading } from '../fleet/coordinators.ts';
import type { Program } from '../fleet/programs.ts';
import { digestOf } from '../support/docker-registry.ts';
import { text } from '../support/listen.ts';
import { PaperFleet } from '../support/paper-fleet.ts';

const SERVICE = 'web';
/** For a leader who is not to lose it because the machine stands still for a moment. */
const LONG_LEASE = { SWELL_LEASE_MS: '15000' };
const V0 = digestOf('v0');

const QUICK = {
  approval: 'automatic',
  soak: '0s',
  stages: [10, 50, 100],
  maxUnavailable: 3,
  failureBudget: { max: '50%', minSample: 5 },
};

let coordinators: Coordinators;
let fleet: PaperFleet;

beforeEach(async () => {
  coordinators = await Coordinators.open();
  fleet = new PaperFleet(coordinators.bus, SERVICE, { eu: 40, us: 20 }, V0);
});

afterEach(async ({ task }) => {
  fleet[Symbol.dispose]();
  coordinators.keepsLogs = task.result?.state !== 'pass';
  await coordinators[Symbol.asyncDispose]();
});

const leads = (program: Program, from = 0) => program.line(isLeading, from);

/** A first coordinator that leads, the policy, and everybody there. */
async function begin(
  policy: object = QUICK,
  environment: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const program = await coordinators.lead('first', environment);
  await coordinators.log.follow();
  await fleet.join();
  await writePolicy(policy);
  return program;
}

async function writePolicy(policy: object): Promise<number> {
  const { name, revision = 0 } = await coordinators.policy(SERVICE, policy);
  expect(name).toBe('policy-accepted');
  return revision;
}

async function publish(body: Uint8Array): Promise<number> {
  return (await coordinators.bus.publish({ subject: releaseSubject(SERVICE), body, line: 'release' }))
    .sequence;
}

const release = (tag: string) => coordinators.release(SERVICE, tag);

async function say(action: string): Promise<void> {
  await coordinators.bus.publish({
    subject: controlSubject(SERVICE),
    body: encode({ action }),
    line: action,
  });
}

/** What happened in the rollout, in the coordinator's words. */
function told(rollout: number): readonly EventName[] {
  return coordinators.log.events().flatMap((one) => (one.rollout === rollout ? [one.name] : []));
}

function waves(
  region: string,
  rollout: number,
): readonly { readonly revision: number; readonly wave: Wave }[] {
  return coordinators.log.entries.flatMap((entry) =>
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
  const second = coordinators.start('second');
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
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
  await coordinators.event('node-failed', ({ node }) => node === unlucky.node);
  await fleet.until(59, digest);

  expect(told(rollout).filter((name) => name !== 'node-failed')).toEqual(WHOLE_WAY);
  expect(told(rollout).filter((name) => name === 'node-failed').length).toBe(1);
  expectSteadyOrders(rollout);
  expect(coordinators.log.violations()).toEqual([]);
});

test('a leader that is killed again and again tells everything once, and gets there', async () => {
  let leader = await begin();
  const { rollout, digest } = await release('v1');
  for (const [round, count] of [4, 15, 30, 45].entries()) {
    fleet.pass(count - fleet.on(digest));
    await fleet.until(count, digest);
    await leader.kill();
    leader = coordinators.start(`next-${round}`);
    await leads(leader);
  }
  fleet.pass();
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
  expect(told(rollout)).toEqual(WHOLE_WAY);
  expectSteadyOrders(rollout);
  expect(coordinators.log.violations()).toEqual([]);
});

test('a leader that was frozen beyond its lease does no harm when it goes on', async () => {
  const first = await begin();
  const second = coordinators.start('second');
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
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
  expect(told(rollout)).toEqual(WHOLE_WAY);
  expectSteadyOrders(rollout);

  // It leads again when the other one is gone, and knows what has happened meanwhile.
  const next = await release('v2');
  await coordinators.event('rollout-started', (one) => one.rollout === next.rollout);
  await second.kill();
  await leads(first, said);
  fleet.pass();
  await coordinators.event('rollout-settled', (one) => one.rollout === next.rollout);
  expect(told(next.rollout)).toEqual(WHOLE_WAY);
  expect(coordinators.log.violations()).toEqual([]);
});

test('two coordinators of one name do not take the lease from each other', async () => {
  const first = await begin(QUICK, LONG_LEASE);
  const namesake = coordinators.start('first');
  const { rollout } = await release('v1');
  fleet.pass(12);
  await coordinators.event('stage-finished', (one) => one.rollout === rollout);
  expect(namesake.has(({ msg }) => msg === 'leading')).toBe(false);
  expect(first.has(({ msg }) => msg === 'term ended')).toBe(false);
  await first.kill();
  await leads(namesake);
  fleet.pass();
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
  expect(told(rollout)).toEqual(WHOLE_WAY);
});

test('a leader that leaves in order is followed at once', async () => {
  const first = await begin();
  const second = coordinators.start('second');
  expect(await first.stop()).toBe(0);
  await leads(second);
  const { rollout } = await release('v1');
  fleet.pass();
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
  expect(coordinators.log.violations()).toEqual([]);
});

test('Z6: an undo is released once, though its leader is killed as soon as it has been said', async () => {
  const first = await begin();
  fleet.pass();
  const back = await release('v1');
  await coordinators.event('rollout-settled', (one) => one.rollout === back.rollout);
  const { rollout } = await release('v2');
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
  const second = coordinators.start('second');
  await say('undo');
  await first.kill();
  await leads(second);
  const { line } = await coordinators.event('control-applied', () => true);
  const undone = Number(/^undo of web: release (\d+) is v1$/.exec(line)?.[1]);
  await coordinators.event('rollout-settled', (one) => one.rollout === undone);
  await fleet.until(60, back.digest);
  const { state } = await coordinators.bus.manager.streams.info(STREAMS.releases);
  expect([undone, state.messages]).toEqual([rollout + 1, 3]);
  expect(told(undone)).toEqual(WHOLE_WAY);
  expect(coordinators.log.violations()).toEqual([]);
});

test('after a restart everything is exactly what it was, to the revision', async () => {
  const first = await begin({ ...QUICK, approval: 'manual' });
  const { rollout, digest } = await release('v1');
  fleet.pass();
  await coordinators.event('approval-awaited', (one) => one.rollout === rollout);
  await say('pause');
  await coordinators.event('rollout-paused', (one) => one.rollout === rollout);
  await coordinators.bus.publish({ subject: releaseSubject(SERVICE), body: encode({}), line: 'bad' });
  await coordinators.event('release-rejected', () => true);
  await first.stop();

  const before = await standing();
  const second = coordinators.start('second');
  await leads(second);
  // It answers, so it has looked at all of it.
  await say('approve');
  await coordinators.event('control-rejected', () => true);
  const after = await standing();
  expect(after.orders).toEqual(before.orders);
  // But for the one word, and that it was answered.
  const ofTheWord = { controlsTaken: 0, eventsTold: 0, outbox: [] };
  expect({ ...after.record, ...ofTheWord }).toEqual({ ...before.record, ...ofTheWord });

  await say('resume');
  await say('approve');
  await coordinators.event('stage-approved', (one) => one.rollout === rollout);
  await fleet.until(30, digest);
  expect(coordinators.log.violations()).toEqual([]);
});

test('a policy that changes half-way holds at once: slots, stages and approval, and the cursor stays', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout, digest } = await release('v1');
  fleet.pass();
  await coordinators.event('approval-awaited', (one) => one.rollout === rollout);
  expect(fleet.on(digest)).toBe(6);
  const revision = await writePolicy({ ...QUICK, approval: 'manual', maxUnavailable: 7, stages: [20, 100] });
  await coordinators.log.until((entry) =>
    entry.kind === 'wave' && entry.wave.slots === 7 ? entry : undefined,
  );
  expect(revision).toBeGreaterThan(0);
  await say('approve');
  await coordinators.event('stage-finished', (one) => one.rollout === rollout && one.line.includes('(20 %)'));
  expect(fleet.on(digest)).toBe(12);
  // Not one that makes no sense: it is refused, and what was in force stays so.
  const nonsense = await coordinators.bus.publish({
    subject: policyKey(SERVICE),
    body: encode({ health: { minHealthyTime: '10m' } }),
    line: 'policy',
  });
  const refused = await coordinators.event('policy-rejected', ({ revision: of }) => of === nonsense.sequence);
  expect(refused.problems).toEqual(['health.minHealthyTime must be shorter than health.healthyDeadline']);
  await writePolicy(QUICK);
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
  await fleet.until(60, digest);
  expectSteadyOrders(rollout);
  expect(coordinators.log.violations()).toEqual([]);
});

test('ten releases that are none are refused with their reasons, and stop nobody', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout } = await release('v1');
  fleet.pass();
  await coordinators.event('approval-awaited', (one) => one.rollout === rollout);
  const before = await standing();
  const image = `${coordinators.registry.host}/${SERVICE}:v1`;
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
    [encode({ image: `${coordinators.registry.host}/${SERVICE}:no-such-tag` }), /^image: .*no-such-tag/],
  ];
  for (const [body, problem] of bad) {
    const number = await publish(body);
    const { problems, line } = await coordinators.event('release-rejected', (one) => one.rollout === number);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(line.length).toBeLessThanOrEqual(500);
  }
  const after = await standing();
  expect(after.orders).toEqual(before.orders);
  expect(after.record['rollout']).toEqual(before.record['rollout']);
  // And a leader that comes after them reads what is saved.
  await coordinators.programs[0]?.kill();
  await leads(coordinators.start('second'));
  await say('approve');
  await coordinators.event('stage-approved', (one) => one.rollout === rollout);
  expect(coordinators.log.violations()).toEqual([]);
});

test('an order that somebody writes by hand is put right, by whoever leads', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout } = await release('v1');
  fleet.pass();
  await coordinators.event('approval-awaited', (one) => one.rollout === rollout);
  const key = waveKey('eu', SERVICE);
  const ours = await coordinators.bus.readLast(STREAMS.orders, key);
  const parsed = ours === undefined ? undefined : decode(ours.body, waveSchema);
  if (parsed?.ok !== true) throw new Error('there is a wave');
  fleet.pass(0);
  const { sequence } = await coordinators.bus.publish({
    subject: key,
    body: encode({ ...parsed.value, slots: 1_000 }),
    line: 'all at once!',
  });
  await coordinators.log.until((entry) =>
    entry.kind === 'wave' && entry.revision > sequence && entry.wave.region === 'eu' ? entry : undefined,
  );
  const put = await coordinators.bus.readLast(STREAMS.orders, key);
  expect(put?.body).toEqual(ours?.body);
});

test('an order that somebody writes by hand, ahead of what was decided, stops everybody until a person decides', async () => {
  await begin({ ...QUICK, approval: 'manual' });
  const { rollout } = await release('v1');
  fleet.pass();
  await coordinators.event('approval-awaited', (one) => one.rollout === rollout);
  const key = waveKey('eu', SERVICE);
  const ours = await coordinators.bus.readLast(STREAMS.orders, key);
  const parsed = ours === undefined ? undefined : decode(ours.body, waveSchema);
  if (parsed?.ok !== true) throw new Error('there is a wave');
  fleet.pass(0);
  await coordinators.bus.publish({
    subject: key,
    body: encode({ ...parsed.value, phase: 'open', cursor: 1 }),
    line: 'everybody!',
  });
  expect((await coordinators.event('record-set-back', () => true)).line).toMatch(
    /is older than the wave of eu/,
  );
});

test('a service whose record nobody can read keeps no other one from its leader', async () => {
  const first = await begin();
  await first.kill();
  await coordinators.bus.publish({
    subject: rolloutKey('broken'),
    body: encode({ nonsense: true }),
    line: 'broken',
  });
  await leads(coordinators.start('second'));
  const refused = await coordinators.bus.publish({
    subject: releaseSubject('broken'),
    body: encode({ image: 'web' }),
    line: 'release',
  });
  expect(
    (await coordinators.event('release-rejected', (one) => one.rollout === refused.sequence)).problems,
  ).toEqual([expect.stringMatching(/^service: its record cannot be read/)]);
  const { rollout } = await release('v1');
  fleet.pass();
  await coordinators.event('rollout-settled', (one) => one.rollout === rollout);
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
  const [record] = await coordinators.bus.readLastOfEach(STREAMS.rollouts, [ALL_ROLLOUTS]);
  return {
    record: record === undefined ? {} : (JSON.parse(text(record.body)) as Record<string, unknown>),
    orders: byKey(await coordinators.bus.readLastOfEach(STREAMS.orders, [ALL_ORDERS])),
  };
}
