import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

test('a release becomes a rollout once its digest is known, and its version is what people called it', () => {
  const story = new RolloutStory();
  const number = story.publish('v1', { version: '1.0.0' });
  expect(story.rollout.release).toEqual({
    rollout: number,
    service: 'web',
    image: { repository: 'registry.example/web', digest: digestOf('v1'), tag: 'v1' },
    version: '1.0.0',
  });
  expect(story.names()).toEqual(['policy-accepted', 'release-accepted', 'rollout-started', 'stage-staging']);
});

test('what is no release changes nothing but its own number, and every problem is told', () => {
  const story = new RolloutStory();
  const before = story.state.record;
  const number = story.publishBad('image: is missing', 'Unrecognized key: "imge"');
  expect(story.state.record).toEqual({
    ...before,
    releasesTaken: { sequence: number, storedAtMs: story.nowMs },
    eventsTold: before.eventsTold + 1,
  });
  expect(story.told('release-rejected')).toEqual([
    {
      id: `web.${number}.release-rejected.2`,
      name: 'release-rejected',
      service: 'web',
      rollout: number,
      problems: ['image: is missing', 'Unrecognized key: "imge"'],
      line: `release ${number} of web is rejected: image: is missing; Unrecognized key: "imge"`,
    },
  ]);
});

test('a rejected release leaves the one that is under way alone, and the one that waits for its digest', () => {
  const story = new RolloutStory();
  story.publish('v1');
  const { rollout } = story.state.record;
  story.publishBad('image: is missing');
  expect(story.rollout).toEqual(rollout);
  story.images.set('slow', { reason: 'no answer', retrying: true });
  const waiting = story.publish('slow');
  story.publishBad('image: is missing');
  expect(story.state.record.candidate?.rollout).toBe(waiting);
});

test('a release that is read again by a new leader is the same release, half-way as it is', () => {
  const story = new RolloutStory({ regions: { eu: 20 } });
  story.publish('v1');
  story.act(() => story.rollout.percent === 50);
  const { record } = story.state;
  story.restart();
  const image = { repository: 'registry.example/web', tag: 'v1' };
  const release = { ok: true, value: { image, overrides: {}, acceptHalted: false } } as const;
  expect(story.post({ kind: 'release-published', at: story.state.record.releasesTaken, release })).toEqual(
    [],
  );
  expect(story.state.record).toEqual(record);
});

test('a release whose number was used before its stream was put back is rejected with its remedy, once', () => {
  const story = new RolloutStory();
  const number = story.publish('v1');
  const { rollout } = story;
  story.pass(60_000);
  const at = { sequence: number, storedAtMs: story.nowMs };
  const image = { repository: 'registry.example/web', tag: 'v2' };
  const release = { ok: true, value: { image, overrides: {}, acceptHalted: false } } as const;
  for (let time = 0; time < 2; time += 1) story.post({ kind: 'release-published', at, release });
  expect(story.told('release-rejected').map(({ problems }) => problems)).toEqual([
    [
      `its number ${number} was used before the stream of releases was put back: ` +
        `fill the stream beyond ${number}, and publish it again`,
    ],
  ]);
  expect(story.rollout.release).toEqual(rollout.release);
  expect(story.publish('v3')).toBe(story.rollout.release.rollout);
});

test('an older release that is read again is none, though a clock that was ahead had stamped it', () => {
  const story = new RolloutStory();
  const release = (tag: string) =>
    ({
      ok: true,
      value: { image: { repository: 'r/web', tag }, overrides: {}, acceptHalted: false },
    }) as const;
  story.images.set('v1', digestOf('v1')).set('v2', digestOf('v2'));
  const ahead = { sequence: 100, storedAtMs: story.nowMs + 3_600_000 };
  story.post({ kind: 'release-published', at: ahead, release: release('v1') });
  story.post({
    kind: 'release-published',
    at: { sequence: 101, storedAtMs: story.nowMs },
    release: release('v2'),
  });
  const { record } = story.state;
  story.post({ kind: 'release-published', at: ahead, release: release('v1') });
  expect(story.state.record).toEqual(record);
  expect(story.rollout.release.rollout).toBe(101);
});

test('a service that nobody runs and nobody has a policy for is none', () => {
  const story = new RolloutStory({ policy: QUICK, regions: {} });
  story.post({ kind: 'policy-deleted', at: { sequence: 99, storedAtMs: 0 } });
  story.publish('v1');
  expect(story.told('release-rejected').map(({ problems }) => problems)).toEqual([
    [
      'service: no node runs "web" and it has no policy: check the subject, or put a policy into the bucket swell_policies first',
    ],
  ]);
});

test('a service that had a rollout is one, also while none of its nodes has shown itself', () => {
  const story = new RolloutStory({ regions: { eu: 1 } });
  story.publish('v1');
  story.act();
  story.post({ kind: 'policy-deleted', at: { sequence: 99, storedAtMs: 0 } });
  story.leave('eu-1');
  story.publish('v2');
  expect(story.told('release-rejected')).toEqual([]);
});

test('overrides that make no sense over the policy of the service reject the release', () => {
  const story = new RolloutStory();
  story.publish('v1', { overrides: { progressDeadlineMs: 60_000 } });
  expect(story.told('release-rejected').map(({ problems }) => problems)).toEqual([
    ['policy.health.healthyDeadline must be shorter than progressDeadline: raise progressDeadline'],
  ]);
});

test('a release that is superseded while its digest is asked for never begins, whatever is answered', () => {
  const story = new RolloutStory();
  story.held = true;
  const first = story.publish('v1');
  const second = story.publish('v2');
  story.post({ kind: 'image-resolved', rollout: first, digest: digestOf('v1') });
  expect(story.state.record.rollout).toBeUndefined();
  story.letGo();
  expect(story.rollout.release.rollout).toBe(second);
  expect(story.told('rollout-superseded').map(({ rollout }) => rollout)).toEqual([first]);
});

test('a registry that is down is asked again, later and later, told once, and the release begins when it is up', () => {
  const story = new RolloutStory();
  story.images.set('v1', { reason: 'connection refused', retrying: true });
  const number = story.publish('v1');
  const asked: number[] = [];
  for (let second = 1; second <= 200; second += 1) {
    if (story.tick().some(({ kind }) => kind === 'resolve-image')) asked.push(second);
  }
  expect(asked).toEqual([1, 3, 7, 15, 31, 63, 123, 183]);
  expect(story.told('release-delayed').map(({ line }) => line)).toEqual([
    `release ${number} of web waits for its registry: connection refused`,
  ]);
  expect(story.tellings.filter((id) => id.includes('delayed')).length).toBe(1);
  story.images.set('v1', digestOf('v1'));
  story.tick(60_000);
  expect(story.rollout.release.rollout).toBe(number);
});

test('a registry that says when to ask again is not asked before', () => {
  const story = new RolloutStory();
  story.images.delete('v1');
  story.held = true;
  const rollout = story.publish('v1');
  story.post({
    kind: 'image-not-resolved',
    rollout,
    reason: 'too many requests',
    retrying: true,
    retryAfterMs: 30_000,
  });
  expect(story.tick(29_999).map(({ kind }) => kind)).not.toContain('resolve-image');
  expect(story.tick(1).map(({ kind }) => kind)).toContain('resolve-image');
});

test('an image that does not exist rejects its release', () => {
  const story = new RolloutStory();
  story.images.set('v1', { reason: 'there is no web:v1', retrying: false });
  const number = story.publish('v1');
  expect(story.state.record.candidate).toBeUndefined();
  expect(story.told('release-rejected').map(({ rollout, problems }) => [rollout, problems])).toEqual([
    [number, ['image: there is no web:v1']],
  ]);
});

test('a halted digest is refused, under whatever tag, until a person says that it is meant (B12)', () => {
  const story = new RolloutStory();
  story.publish('v1');
  story.act();
  const bad = story.publish('v2');
  story.control('halt', { reason: 'leaks memory' });
  story.act();
  expect(story.phase).toBe('rested');
  story.images.set('v2-again', digestOf('v2'));
  const again = story.publish('v2-again');
  expect(story.rollout.release.rollout).toBe(bad);
  expect(story.told('release-rejected').map(({ rollout, problems }) => [rollout, problems])).toEqual([
    [
      again,
      [
        `image: ${digestOf('v2').slice(7, 19)} was halted as rollout ${bad} (leaks memory): publish another image, or say "acceptHalted": true`,
      ],
    ],
  ]);
  const meant = story.publish('v2-again', { acceptHalted: true });
  expect(story.rollout.release.rollout).toBe(meant);
  expect([story.state.record.halted, story.halt.order]).toEqual([[], undefined]);
  story.act();
  expect(story.phase).toBe('settled');
});

test('a release that supersedes another is told for the one that was under way, or just going back', () => {
  const story = new RolloutStory();
  const first = story.publish('v1');
  const second = story.publish('v2');
  story.act(() => story.rollout.phase.name === 'rolling');
  story.act(() => [...story.nodes.values()].some(({ running }) => running === digestOf('v2')));
  story.control('halt');
  expect(story.phase).toBe('halting');
  const third = story.publish('v3');
  expect(story.told('rollout-superseded').map(({ rollout }) => rollout)).toEqual([first, second]);
  story.act();
  expect([story.phase, story.rollout.release.rollout]).toEqual(['settled', third]);
  expect(new Set([...story.nodes.values()].map(({ running }) => running))).toEqual(new Set([digestOf('v3')]));
});
