import { BODY_BYTES_MAX, encode } from '@swell/shared/protocol/codec.ts';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory, roundTripped } from '../../../../../test/support/rollout-story.ts';

const TOLERANT = {
  ...QUICK,
  failureBudget: { max: { kind: 'percent', percent: 100 }, minSample: 1 },
} as const;

/** Hands in the failures of many nodes at once. */
function fail(story: RolloutStory, count: number, reason: string): void {
  const { rollout } = story.rollout.release;
  story.post({
    kind: 'reports-read',
    reports: Array.from({ length: count }, (_, index) => {
      const node = `eu-${index + 1}`;
      const report = {
        id: `${index}`,
        region: 'eu',
        node,
        service: 'web',
        rollout,
        status: 'failed',
        attempt: '1',
        reason,
      } as const;
      story.reports.set(node, { report, sequence: 1_000 + index, atMs: story.nowMs });
      return { report, sequence: 1_000 + index, heardAtMs: story.nowMs };
    }),
  });
}

test('every failure is told once, with its reason', () => {
  const story = new RolloutStory({ policy: TOLERANT, regions: { eu: 10 } });
  story.publish('v1');
  fail(story, 2, 'not healthy within 5m');
  expect(story.told('node-failed').map(({ node, line }) => [node, line])).toEqual([
    ['eu-1', `eu-1 in eu failed rollout ${story.rollout.release.rollout} of web: not healthy within 5m`],
    ['eu-2', `eu-2 in eu failed rollout ${story.rollout.release.rollout} of web: not healthy within 5m`],
  ]);
  story.restart();
  story.tick();
  expect(story.told('node-failed').length).toBe(2);
});

test('a thousand failures at once are told all, and the record stays small enough to be read again', () => {
  const story = new RolloutStory({ policy: TOLERANT, regions: { eu: 1_000 } });
  story.publish('v1');
  story.held = true;
  fail(story, 1_000, 'x'.repeat(4_000));
  expect(encode(story.state.record).length).toBeLessThan(BODY_BYTES_MAX);
  story.letGo();
  expect(story.told('node-failed').length).toBe(1_000);
  expect(Math.max(...story.saved.map((record) => encode(record).length))).toBeLessThan(BODY_BYTES_MAX);
});

test('failures that were reported while nobody led are told by the next leader', () => {
  const story = new RolloutStory({ policy: TOLERANT, regions: { eu: 10 } });
  story.publish('v1');
  fail(story, 1, 'told before');
  story.state = { ...story.state, ready: false };
  fail(story, 3, 'nobody led');
  story.restart();
  expect(story.told('node-failed').map(({ node }) => node)).toEqual(['eu-1', 'eu-2', 'eu-3']);
});

test('whatever people and nodes write at length, the record can be read by the next leader', () => {
  const story = new RolloutStory({ policy: TOLERANT, regions: { eu: 40 } });
  story.publish('v1', { version: 'v'.repeat(128) });
  story.held = true;
  fail(story, 40, 'x'.repeat(4_000));
  for (let index = 0; index < 20; index += 1) story.publishBad('y'.repeat(300), 'z'.repeat(300));
  story.control('halt', { reason: 'r'.repeat(500) });
  expect(roundTripped(story.state.record)).toEqual(story.state.record);
});
