import type { Place } from '@swell/shared/domain/place.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../test/support/rollout-story.ts';
import { policyOf } from './state.ts';

const BROKEN = { ok: false, problems: ['soak: must be a duration such as "30s"'] } as const;
const at = (sequence: number, storedAtMs = 0): Place => ({ sequence, storedAtMs });

test('a policy that does not parse changes nothing, and every problem is told (I13)', () => {
  const story = new RolloutStory();
  const before = policyOf(story.state);
  story.post({ kind: 'policy-written', at: at(50), policy: BROKEN });
  expect(policyOf(story.state)).toEqual(before);
  expect(story.told('policy-rejected').map(({ revision, problems }) => [revision, problems])).toEqual([
    [50, BROKEN.problems],
  ]);
});

test('a policy that makes no sense as a whole is rejected, with its remedy', () => {
  const story = new RolloutStory();
  story.policy({ ...QUICK, progressDeadlineMs: 60_000 });
  expect(policyOf(story.state).progressDeadlineMs).toBe(900_000);
  expect(story.told('policy-rejected').map(({ problems }) => problems)).toEqual([
    ['health.healthyDeadline must be shorter than progressDeadline: raise progressDeadline'],
  ]);
});

test('one that makes no sense under what the present rollout brings along is rejected as well', () => {
  const story = new RolloutStory();
  const number = story.publish('v1', { overrides: { health: { minHealthyTimeMs: 240_000 } } });
  story.policy({ ...QUICK, health: { healthyDeadlineMs: 60_000 } });
  expect(policyOf(story.state).health.healthyDeadlineMs).toBe(300_000);
  expect(story.told('policy-rejected').map(({ problems }) => problems)).toEqual([
    [
      `with the policy that release ${number} brings along: health.minHealthyTime must be shorter than health.healthyDeadline`,
    ],
  ]);
  // Once that rollout is over it may be written.
  story.control('abort');
  story.policy({ ...QUICK, health: { healthyDeadlineMs: 60_000 } });
  expect(story.told('policy-rejected').length).toBe(1);
});

test('one that makes no sense under what a release brings along that waits for its digest, too', () => {
  const story = new RolloutStory();
  story.images.set('v1', { reason: 'no answer', retrying: true });
  story.publish('v1', { overrides: { health: { minHealthyTimeMs: 240_000 } } });
  story.policy({ ...QUICK, health: { healthyDeadlineMs: 60_000 } });
  expect(story.told('policy-rejected').length).toBe(1);
});

test('the last good policy outlives the leader, though the bucket holds a broken one', () => {
  const story = new RolloutStory();
  const before = policyOf(story.state);
  const revision = story.writePolicy(BROKEN);
  const { record } = story.state;
  story.restart();
  expect(policyOf(story.state)).toEqual(before);
  expect(story.state.record).toEqual(record);
  expect([record.policy?.sequence, story.tellings]).toEqual([revision, []]);
});

test('a policy that was written while nobody led is in force, and told, with the next leader', () => {
  const story = new RolloutStory({ regions: { eu: 10 } });
  story.publish('v1');
  const { waves } = story.state;
  story.held = true;
  story.restart();
  story.state = { ...story.state, ready: false };
  const policy = { ok: true, value: { ...QUICK, maxUnavailable: { kind: 'count', count: 5 } } } as const;
  story.post({ kind: 'policy-written', at: at(60), policy });
  story.held = false;
  story.post({ kind: 'bus-read' });
  expect([waves.get('eu')?.stored?.slots, story.wave('eu').slots]).toEqual([2, 5]);
  expect(story.told('policy-accepted').map(({ revision }) => revision)).toContain(60);
});

test('a deleted policy means the defaults, and is told', () => {
  const story = new RolloutStory();
  story.post({ kind: 'policy-deleted', at: at(70) });
  story.post({ kind: 'policy-deleted', at: at(70) });
  expect(policyOf(story.state)).toEqual(DEFAULT_POLICY);
  expect(story.told('policy-accepted').filter(({ revision }) => revision === 70).length).toBe(1);
});

test('a policy that was written anew, at the revision of one that was lost with the end of its stream, is in force', () => {
  const story = new RolloutStory();
  for (const [storedAtMs, soakMs] of [
    [1_000, 7],
    [2_000, 8],
    [2_000, 8],
  ] as const) {
    story.post({ kind: 'policy-written', at: at(80, storedAtMs), policy: { ok: true, value: { soakMs } } });
  }
  expect(policyOf(story.state).soakMs).toBe(8);
  const told = story.told('policy-accepted').filter(({ revision }) => revision === 80);
  expect(new Set(told.map(({ id }) => id)).size).toBe(2);
  expect(told.length).toBe(2);
});

test('what a release brings along lies over the policy, for its own rollout and no longer', () => {
  const story = new RolloutStory();
  story.publish('v1', { overrides: { soakMs: 77 } });
  expect(policyOf(story.state).soakMs).toBe(77);
  story.publish('v2');
  expect(policyOf(story.state).soakMs).toBe(0);
});
