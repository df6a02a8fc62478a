import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const HOUR_MS = 3_600_000;
const COOLING = { ...QUICK, coolDownMs: 24 * HOUR_MS } as const;

function running(story: RolloutStory): readonly string[] {
  return [...new Set([...story.nodes.values()].map((node) => node.running))];
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

test('B1: a release waits out its cool-down, and goes on with the digest that it was published with', () => {
  const story = new RolloutStory({ policy: COOLING });
  const publishedAtMs = story.nowMs;
  const number = story.publish('v1');
  story.images.set('v1', digestOf('another image'));
  story.pass(23 * HOUR_MS);
  expect([story.state.record.rollout, running(story)]).toEqual([undefined, [digestOf('v0')]]);
  story.pass(HOUR_MS - 1);
  expect(story.state.record.rollout).toBeUndefined();
  story.tick(1);
  expect(story.rollout.release.image.digest).toBe(digestOf('v1'));
  story.act();
  expect([story.phase, running(story)]).toEqual(['settled', [digestOf('v1')]]);
  expect(story.told('release-delayed').map(({ rollout, line }) => [rollout, line])).toEqual([
    [
      number,
      `release ${number} of web begins at ${timeOf(publishedAtMs + 24 * HOUR_MS)}, after its cool-down of 1d`,
    ],
  ]);
});

test('B1: a release whose registry is silent is dropped when it expires, as any other that has not begun', () => {
  const story = new RolloutStory();
  story.images.set('v1', { reason: 'the registry is away', retrying: true });
  const number = story.publish('v1', { expiresMs: story.nowMs + HOUR_MS });
  story.pass(HOUR_MS - 1);
  expect(story.state.record.candidate?.rollout).toBe(number);
  story.tick(1);
  expect([story.state.record.candidate, story.told('rollout-aborted').map(({ line }) => line)]).toEqual([
    undefined,
    [`release ${number} of web is expired before it began`],
  ]);
});

test('B1: an urgent release does not wait', () => {
  const story = new RolloutStory({ policy: COOLING });
  story.publish('v1', { urgent: true });
  story.act();
  expect([story.phase, running(story)]).toEqual(['settled', [digestOf('v1')]]);
});

test('B1: the rollout before it goes on meanwhile, and a newer release takes its place', () => {
  const story = new RolloutStory({ policy: QUICK });
  story.publish('v1');
  story.policy(COOLING);
  const waiting = story.publish('v2');
  story.act();
  expect([story.phase, running(story)]).toEqual(['settled', [digestOf('v1')]]);
  story.publish('v3');
  expect(story.told('rollout-superseded').map(({ rollout }) => rollout)).toEqual([waiting]);
  story.pass(24 * HOUR_MS);
  story.act();
  expect(running(story)).toEqual([digestOf('v3')]);
});

test('B1, P6: the next leader waits on, tells nothing anew and does not ask the registry again', () => {
  const story = new RolloutStory({ policy: COOLING });
  story.publish('v1');
  story.pass(HOUR_MS);
  story.images.delete('v1');
  const { record } = story.state;
  story.restart();
  story.tick(11_000);
  expect(story.state.record).toEqual(record);
  story.pass(23 * HOUR_MS);
  expect(story.rollout.release.version).toBe('v1');
});

test('B1, P7: a policy that is written meanwhile decides, and a new end is told', () => {
  const story = new RolloutStory({ policy: COOLING });
  story.publish('v1');
  story.policy({ ...QUICK, coolDownMs: 48 * HOUR_MS });
  story.pass(25 * HOUR_MS);
  expect([story.state.record.rollout, story.told('release-delayed').length]).toEqual([undefined, 2]);
  story.policy(QUICK);
  expect(story.rollout.release.version).toBe('v1');
});

test('B1: an operator may abort a release that cools down', () => {
  const story = new RolloutStory({ policy: COOLING });
  const number = story.publish('v1');
  story.control('abort', { rollout: number });
  story.pass(25 * HOUR_MS);
  expect(story.state.record.rollout).toBeUndefined();
});

test('B12: a digest that is halted while another release of it cools down is refused then', () => {
  const story = new RolloutStory({ policy: QUICK });
  story.publish('v1');
  story.images.set('v1-again', digestOf('v1'));
  story.policy(COOLING);
  const number = story.publish('v1-again');
  story.control('halt');
  expect(story.told('release-rejected').map(({ rollout }) => rollout)).toEqual([number]);
});

test('B1: a release does not begin before its hour, urgent or not', () => {
  const story = new RolloutStory();
  const notBeforeMs = story.nowMs + 2 * HOUR_MS;
  story.publish('v1', { notBeforeMs, urgent: true });
  story.pass(2 * HOUR_MS - 1);
  expect(story.state.record.rollout).toBeUndefined();
  story.tick(1);
  expect(story.rollout.release.version).toBe('v1');
});

test('B1: a release that expires while it waits never begins', () => {
  const story = new RolloutStory({ policy: { ...QUICK, coolDownMs: HOUR_MS } });
  const number = story.publish('v1', { expiresMs: story.nowMs + 2 * HOUR_MS });
  story.policy(COOLING);
  story.pass(48 * HOUR_MS);
  expect(story.state.record).not.toHaveProperty('rollout');
  expect(story.told('rollout-aborted').map(({ rollout, line }) => [rollout, line])).toEqual([
    [number, `release ${number} of web is expired before it began`],
  ]);
});

test('B1: a rollout that expires under way goes no further, paused or not, and everybody stays as he is', () => {
  for (const isPaused of [false, true]) {
    const story = new RolloutStory({ policy: { ...QUICK, approval: 'manual' }, regions: { eu: 20 } });
    story.publish('v1', { expiresMs: story.nowMs + HOUR_MS });
    story.act();
    if (isPaused) story.control('pause');
    story.pass(HOUR_MS);
    expect(story.rollout.phase).toEqual({ name: 'aborted', reason: 'it has expired' });
    story.act();
    expect(running(story).length).toBe(2);
  }
});

test('B1: what has settled does not expire', () => {
  const story = new RolloutStory();
  story.publish('v1', { expiresMs: story.nowMs + HOUR_MS });
  story.act();
  story.pass(2 * HOUR_MS);
  expect(story.phase).toBe('settled');
});

test('B1: a release that can never begin is refused with the remedy', () => {
  const story = new RolloutStory({ policy: COOLING });
  const { nowMs } = story;
  story.publish('v1', { expiresMs: nowMs });
  story.publish('v1', { expiresMs: nowMs + HOUR_MS });
  story.publish('v1', { expiresMs: nowMs + HOUR_MS, notBeforeMs: nowMs + 48 * HOUR_MS });
  expect(story.told('release-rejected').map(({ problems }) => problems)).toEqual([
    ['expires: is over already: name a later time, or leave it out'],
    [
      `expires: comes before the end of its cool-down of 1d (${timeOf(nowMs + 24 * HOUR_MS)}): ` +
        'name a later time, or say "urgent": true',
    ],
    [`expires: comes before the end of its notBefore (${timeOf(nowMs + 48 * HOUR_MS)}): name a later time`],
  ]);
});
