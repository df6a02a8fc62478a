import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { FIRST } from '@swell/shared/domain/rank.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const HOUR_MS = 3_600_000;
const CANARY: PolicyLayer = { ...QUICK, canary: { label: 'canary', soakMs: HOUR_MS } };

function on(story: RolloutStory, tag = 'v1'): readonly string[] {
  const there = [...story.nodes.values()].filter(({ running }) => running === digestOf(tag));
  return there.map(({ node }) => node).sort();
}

/** Ten nodes, of which the last two in line are canaries; `v1` is published. */
function storyOf(policy = CANARY, regions: Readonly<Record<string, number>> = { eu: 10 }): RolloutStory {
  const story = new RolloutStory({ policy, regions });
  story.label('canary', 'eu-3', 'eu-7');
  story.publish('v1');
  return story;
}

test('P2: canaries come before everybody else, and are watched for a time of their own', () => {
  const story = storyOf();
  story.act();
  expect([on(story), story.phase, story.wave('eu').stage]).toEqual([
    ['eu-3', 'eu-7'],
    'soaking',
    { number: 0, of: 3, percent: 0 },
  ]);
  story.pass(HOUR_MS - 1_000);
  story.act();
  expect(on(story)).toEqual(['eu-3', 'eu-7']);
  story.pass(2_000);
  story.act();
  expect([on(story).length, story.phase]).toEqual([10, 'settled']);
});

test('P2: canaries count among the nodes of the stages that follow', () => {
  const story = storyOf({ ...CANARY, stagesPercent: [10, 40, 100], approval: 'manual' });
  story.act();
  story.pass(HOUR_MS);
  story.control('approve');
  story.act();
  expect([on(story).length, story.rollout.percent]).toEqual([4, 40]);
  expect(on(story)).toEqual(expect.arrayContaining(['eu-3', 'eu-7']));
});

test('P2: a canary that fails halts the rollout before anybody else has begun', () => {
  const story = storyOf();
  story.behave('fails', 'eu-3', 'eu-7');
  story.act();
  expect(story.phase).toBe('rested');
  expect(
    [...story.nodes.values()].filter(({ tried }) => tried !== undefined).map(({ node }) => node),
  ).toEqual(['eu-3', 'eu-7']);
});

test('P2: after the canaries a person is asked where the policy wants one', () => {
  const story = storyOf({ ...CANARY, approval: 'manual' });
  story.act();
  story.pass(HOUR_MS);
  expect([story.phase, story.told('approval-awaited').at(-1)?.line]).toEqual([
    'gated',
    expect.stringContaining('waits after the stage of its canaries'),
  ]);
});

test('P2: without a node that bears the label the first stage is the first, and nobody is waited for', () => {
  const story = new RolloutStory({ policy: CANARY });
  story.publish('v1');
  story.act();
  expect([on(story).length, story.phase]).toEqual([10, 'settled']);
  expect(story.history.every(({ wave }) => wave.canaries === undefined)).toBe(true);
});

test('P2, I4: a canary stays one in every later stage, also where it comes late or has lost its label', () => {
  const story = new RolloutStory({ policy: { ...CANARY, approval: 'manual' }, regions: { eu: 40 } });
  story.label('canary', 'eu-3', 'eu-7');
  story.publish('v1');
  story.behave('silent', 'eu-7');
  story.leave('eu-7');
  story.act();
  story.pass(HOUR_MS);
  story.control('approve');
  story.node('eu-7').labels = [];
  story.behave('well', 'eu-7');
  story.comeBack('eu-7');
  expect(story.wave('eu').canaries).toEqual(['eu-3', 'eu-7']);
  story.act();
  expect(on(story)).toEqual(expect.arrayContaining(['eu-3', 'eu-7']));
});

test('P2, P6: the next leader knows the canaries by the record, before any of them shows himself', () => {
  const story = storyOf({ ...CANARY, approval: 'manual' });
  story.act();
  const { record, waves } = story.state;
  story.restart('forgotten');
  story.tick(11_000);
  expect([story.state.record, story.state.waves]).toEqual([record, waves]);
  expect([story.phase, story.wave('eu').phase, story.wave('eu').cursor]).toEqual(['soaking', 'open', FIRST]);
});

test('P2, N5: each group of regions begins with its own canaries', () => {
  const story = new RolloutStory({
    policy: { ...CANARY, regions: [['eu'], ['us']], stagesPercent: [100] },
    regions: { eu: 4, us: 4 },
  });
  story.label('canary', 'eu-2', 'us-4');
  story.publish('v1');
  story.act();
  expect(on(story)).toEqual(['eu-2']);
  story.pass(HOUR_MS);
  story.act();
  expect(on(story)).toEqual(['eu-1', 'eu-2', 'eu-3', 'eu-4', 'us-4']);
  story.pass(HOUR_MS);
  story.act();
  expect([on(story).length, story.phase]).toEqual([8, 'settled']);
});

test('P2: where every node is a canary the rollout comes to its end all the same', () => {
  const story = new RolloutStory({ policy: CANARY, regions: { eu: 3 } });
  story.label('canary', 'eu-1', 'eu-2', 'eu-3');
  story.publish('v1');
  story.act();
  expect([on(story).length, story.wave('eu').cursor]).toEqual([3, FIRST]);
  story.pass(HOUR_MS);
  story.act();
  expect(story.phase).toBe('settled');
});

test('N5: the first group of regions is watched for longer, once it is through', () => {
  const policy: PolicyLayer = {
    ...QUICK,
    regions: [['eu'], ['us'], ['ap']],
    stagesPercent: [50, 100],
    soakMs: 60_000,
    firstGroupSoakMs: 24 * HOUR_MS,
  };
  const story = new RolloutStory({ policy, regions: { eu: 4, us: 2, ap: 2 } });
  story.publish('v1');
  const settled = (ms: number): number => {
    story.act();
    story.pass(ms);
    story.act();
    return on(story).length;
  };
  expect([settled(120_000), settled(23 * HOUR_MS), settled(HOUR_MS)]).toEqual([4, 4, 5]);
  expect([settled(120_000), settled(120_000), settled(120_000)]).toEqual([6, 7, 8]);
});

test('P5: each release draws its own line, and everybody who knows its seed draws the same', () => {
  const story = new RolloutStory({ regions: { eu: 30 }, policy: { ...QUICK, approval: 'manual' } });
  const front = ['v1', 'v2'].map((tag) => {
    story.publish(tag);
    story.act();
    expect(on(story, tag)).toEqual(
      story
        .line('eu')
        .slice(0, 3)
        .map(({ node }) => node)
        .sort(),
    );
    return on(story, tag);
  });
  expect(front[0]).not.toEqual(front[1]);
});
