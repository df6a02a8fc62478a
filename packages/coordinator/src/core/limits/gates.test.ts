import type { Gate, GateAnswer } from '@swell/shared/domain/gate.ts';
import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const EVERY_MS = 10_000;
const SOAK_MS = 60_000;
const DEADLINE_MS = 120_000;

const ERRORS: Gate = {
  name: 'errors',
  query: 'errors{service="$service",version="$version"}',
  max: 0.1,
  forMs: 0,
  everyMs: EVERY_MS,
  failuresMax: 3,
};

function policyWith(gates: readonly Gate[], change: PolicyLayer = {}): PolicyLayer {
  return {
    ...QUICK,
    stagesPercent: [50, 100],
    soakMs: SOAK_MS,
    progressDeadlineMs: DEADLINE_MS,
    health: { healthyDeadlineMs: 60_000 },
    gates,
    ...change,
  };
}

function value(is: number, others?: number): GateAnswer {
  return { is: 'value', value: is, ...(others !== undefined && { others }) };
}

const NO_DATA: GateAnswer = { is: 'none', why: 'no data' };

/** Its first stage is through, and watched from now on. */
function soaking(
  gates: readonly Gate[],
  answer: GateAnswer | undefined,
  options: { readonly policy?: PolicyLayer; readonly regions?: Readonly<Record<string, number>> } = {},
): RolloutStory {
  const story = new RolloutStory({
    policy: policyWith(gates, options.policy),
    ...(options.regions !== undefined && { regions: options.regions }),
  });
  story.prometheus = () => answer;
  story.publish('v2');
  story.act(() => story.phase === 'soaking');
  return story;
}

function live(story: RolloutStory, ms: number): void {
  for (let left = ms; left > 0; left -= 1_000) {
    story.tick();
    if (left % 60_000 === 0) story.seeAll();
  }
}

test('N10: a stage is over once it was watched, and what was asked when it was over is good', () => {
  const story = soaking([ERRORS], value(0.05));
  expect(story.questions.map(({ query }) => query)).toEqual(['errors{service="web",version="v2"}']);
  live(story, SOAK_MS - 1_000);
  expect([story.phase, story.questions.length]).toEqual(['soaking', 6]);
  live(story, 1_000);
  expect(story.rollout.percent).toBe(100);
  expect(story.told('gates-passed').map(({ line }) => line)).toEqual([
    'rollout 2 of web: after stage 1 of 2 (50 %) all gates are good: errors (0.05)',
  ]);
});

test('N10: what was good before the end of the soak is asked once more', () => {
  const story = soaking([{ ...ERRORS, everyMs: 3_600_000 }], value(0.05));
  story.prometheus = () => undefined;
  live(story, SOAK_MS);
  expect([story.questions.length, story.phase, story.rollout.percent]).toEqual([2, 'soaking', 50]);
});

test('N10: so many bad answers in a row halt it, also before the soak is over', () => {
  const story = soaking([ERRORS], value(0.2));
  live(story, EVERY_MS);
  expect(story.phase).toBe('soaking');
  live(story, EVERY_MS);
  expect(story.rollout.phase).toEqual({
    name: 'halting',
    reason: 'gate errors: 0.2 is more than max 0.1, 3 times in a row',
  });
  expect(story.told('gate-failed').map(({ line }) => line)).toEqual([
    'rollout 2 of web: gate errors is bad: 0.2 is more than max 0.1',
  ]);
});

test('a good answer ends a row of bad ones, and one that says nothing does not', () => {
  const answers = [value(1), value(0), value(1), NO_DATA, value(1), NO_DATA, value(1), value(0)];
  const story = soaking([ERRORS], undefined, { policy: { soakMs: 600_000 } });
  const [first] = story.questions;
  let count = 0;
  story.prometheus = () => answers[count++];
  if (first === undefined) throw new Error('nothing was asked');
  story.post({ kind: 'gate-answered', asking: first.asking, answer: value(1) });
  live(story, EVERY_MS * 6);
  expect(story.phase).toBe('soaking');
  live(story, EVERY_MS * 2);
  expect([story.phase, count]).toEqual(['halting', 7]);
});

test('N10: no data is never good: it waits, and then it is held, and says why', () => {
  const story = soaking([ERRORS], NO_DATA);
  live(story, SOAK_MS + DEADLINE_MS - 1_000);
  expect([story.phase, story.rollout.percent]).toEqual(['soaking', 50]);
  live(story, 1_000);
  expect(story.rollout.paused?.reason).toBe(
    'gate errors says nothing: no data; "resume" asks again, a policy without the gate goes on without it',
  );
  expect(story.told('gate-inconclusive').length).toBe(1);
});

test('N10: an answer that never comes is no answer', () => {
  const story = soaking([ERRORS], undefined);
  live(story, SOAK_MS + DEADLINE_MS);
  expect(story.rollout.paused?.reason).toContain('gate errors has not answered');
});

test('N10: it must have been good for its time without anything else in between', () => {
  const gate = { ...ERRORS, forMs: 2 * EVERY_MS, failuresMax: 9 };
  const story = soaking([gate], value(0), { policy: { soakMs: 0 } });
  live(story, EVERY_MS);
  story.prometheus = () => NO_DATA;
  live(story, EVERY_MS);
  story.prometheus = () => value(0);
  live(story, 2 * EVERY_MS);
  expect(story.rollout.percent).toBe(50);
  live(story, EVERY_MS);
  expect(story.rollout.percent).toBe(100);
});

test('a gate that is good and bad by turns is held as well', () => {
  let count = 0;
  const story = soaking([{ ...ERRORS, forMs: 2 * EVERY_MS }], value(0));
  story.prometheus = () => value(count++ % 2);
  live(story, SOAK_MS + DEADLINE_MS);
  expect(story.rollout.paused?.reason).toMatch(/^gate errors has not been good for 20s: /);
});

test('N10: where it names the region it is asked in each region of the stage, and each must be good', () => {
  const gate = { ...ERRORS, query: 'errors{version="$version",region="$region"}' };
  const story = soaking([gate], undefined, {
    regions: { eu: 4, us: 4, ap: 4 },
    policy: { regions: [['eu', 'us'], ['ap']] },
  });
  expect(story.questions.map(({ query }) => query)).toEqual([
    'errors{version="v2",region="eu"}',
    'errors{version="v2",region="us"}',
  ]);
  for (const { asking } of story.questions)
    story.post({ kind: 'gate-answered', asking, answer: asking.region === 'eu' ? value(0) : NO_DATA });
  story.prometheus = ({ asking }) => (asking.region === 'eu' ? value(0) : NO_DATA);
  live(story, SOAK_MS + DEADLINE_MS);
  expect(story.rollout.paused?.reason).toMatch(/^gate errors in us says nothing: no data;/);
});

test('N10: it is compared with all who are not on the release, until nobody is left', () => {
  const gate: Gate = {
    name: 'cpu',
    query: 'cpu{version="$version"}',
    compare: { max: 1.5, tolerance: 0 },
    forMs: 0,
    everyMs: EVERY_MS,
    failuresMax: 1,
  };
  const story = soaking([gate], value(3, 2));
  expect(story.questions[0]).toMatchObject({
    query: 'cpu{version="v2"}',
    others: 'cpu{version!="v2"}',
  });
  live(story, SOAK_MS);
  story.act(() => story.phase === 'soaking');
  // Only what a node shows of itself tells that it is on the release.
  story.seeAll();
  live(story, SOAK_MS);
  expect(story.questions.at(-1)).not.toHaveProperty('others');
});

test('an answer counts once, and only for the question that is open', () => {
  const story = soaking([{ ...ERRORS, failuresMax: 2 }], undefined);
  const [first] = story.questions;
  if (first === undefined) throw new Error('nothing was asked');
  const bad = { kind: 'gate-answered', asking: first.asking, answer: value(1) } as const;
  for (let times = 0; times < 3; times += 1) story.post(bad);
  expect(story.phase).toBe('soaking');
  story.control('pause');
  story.control('resume');
  story.post(bad);
  story.post(bad);
  expect(story.phase).toBe('soaking');
});

test('what is good in one stage says nothing of the next one', () => {
  const story = soaking([ERRORS], value(0));
  const late = story.questions[0];
  live(story, SOAK_MS);
  story.prometheus = () => undefined;
  story.act(() => story.phase === 'soaking');
  live(story, SOAK_MS);
  if (late === undefined) throw new Error('nothing was asked');
  story.post({ kind: 'gate-answered', asking: late.asking, answer: value(0) });
  expect([story.phase, story.rollout.percent]).toEqual(['soaking', 100]);
});

test('N10: whoever leads next asks anew, and nothing passes by being forgotten', () => {
  const gate = { ...ERRORS, forMs: 30_000 };
  const story = soaking([gate], value(0));
  live(story, SOAK_MS - 1_000);
  story.restart();
  const before = story.questions.length;
  live(story, 15_000);
  expect([story.phase, story.rollout.percent]).toEqual(['soaking', 50]);
  expect(story.questions.length).toBeGreaterThan(before);
  live(story, 40_000);
  expect(story.rollout.percent).toBe(100);
});

test('a pause asks nothing, and what follows it is asked anew', () => {
  const story = soaking([{ ...ERRORS, forMs: 30_000 }], value(0));
  live(story, SOAK_MS - 1_000);
  story.control('pause');
  const before = story.questions.length;
  live(story, 120_000);
  expect(story.questions.length).toBe(before);
  story.control('resume');
  live(story, 20_000);
  expect([story.phase, story.rollout.percent]).toEqual(['soaking', 50]);
  live(story, 30_000);
  expect(story.rollout.percent).toBe(100);
});

test('a rollout that was held waits as long again after "resume"', () => {
  const story = soaking([ERRORS], NO_DATA);
  live(story, SOAK_MS + DEADLINE_MS);
  story.control('resume');
  live(story, DEADLINE_MS - 1_000);
  expect(story.phase).toBe('soaking');
  live(story, 2_000);
  expect(story.phase).toBe('paused');
});

test('a policy with other gates begins anew with them, and one without goes on', () => {
  const story = soaking([ERRORS], value(0));
  live(story, SOAK_MS - 1_000);
  story.prometheus = ({ asking }) => (asking.gate === 'latency' ? NO_DATA : value(0));
  story.policy(policyWith([ERRORS, { ...ERRORS, name: 'latency' }]));
  live(story, 30_000);
  expect([story.phase, story.rollout.percent]).toEqual(['soaking', 50]);
  story.policy(policyWith([]));
  expect(story.rollout.percent).toBe(100);
});

test('bad answers from before a policy with other gates halt nothing after it', () => {
  const story = soaking([ERRORS], value(1));
  live(story, EVERY_MS);
  story.policy(policyWith([{ ...ERRORS, max: 2 }]));
  live(story, SOAK_MS);
  expect(story.rollout.percent).toBe(100);
});

test('a release with gates that nobody can ask says so when it is accepted', () => {
  const story = new RolloutStory({ policy: policyWith([ERRORS]) });
  story.state = { ...story.state, hasNoPrometheus: true };
  story.publish('v2');
  story.publish('v3', { overrides: { gates: [] } });
  const lines = story.told('release-accepted').map(({ line }) => line);
  expect(lines[0]).toContain(
    'this coordinator knows no Prometheus (SWELL_PROMETHEUS_URL), so it will be held before its gates: errors',
  );
  expect(lines[1]).not.toContain('Prometheus');
});

test('a policy under which nothing is asked is as it was', () => {
  const story = soaking([], undefined);
  live(story, SOAK_MS);
  expect([story.rollout.percent, story.questions, story.told('gates-passed')]).toEqual([100, [], []]);
});
