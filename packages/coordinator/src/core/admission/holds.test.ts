import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

function holding(...hold: NonNullable<PolicyLayer['hold']>): PolicyLayer {
  return { ...QUICK, hold };
}

function on(story: RolloutStory, tag: string): readonly string[] {
  const there = [...story.nodes.values()].filter(({ running }) => running === digestOf(tag));
  return there.map(({ node }) => node).sort();
}

function refusals(story: RolloutStory): readonly (readonly [string, string | undefined])[] {
  return [...story.reports]
    .filter(([, { report }]) => report.status === 'refused')
    .map(([node, { report }]) => [node, report.reason] as const)
    .toSorted(([a], [b]) => a.localeCompare(b));
}

test('B2: nodes held by label or region stay as they are, say why, and hold nobody up', () => {
  const story = new RolloutStory({
    policy: holding({ label: 'rack=7', reason: 'new disks' }, { region: 'us', reason: 'a fair' }),
    regions: { eu: 4, us: 2 },
  });
  story.label('rack=7', 'eu-2');
  const number = story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', ['eu-1', 'eu-3', 'eu-4']]);
  expect(refusals(story)).toEqual([
    ['eu-2', 'it is held: new disks'],
    ['us-1', 'it is held: a fair'],
    ['us-2', 'it is held: a fair'],
  ]);
  expect(story.told('nodes-held').map(({ rollout, line }) => [rollout, line])).toEqual([
    [
      number,
      `rollout ${number} of web passes over nodes with the label rack=7 (new disks); nodes in us (a fair)`,
    ],
  ]);
});

test('B2: a hold that is lifted lets its nodes follow, also after the rollout has settled', () => {
  const story = new RolloutStory({
    policy: holding({ region: 'us', reason: 'a fair' }),
    regions: { eu: 2, us: 2 },
  });
  story.publish('v1');
  story.act();
  story.pass(600_000);
  story.act();
  expect(on(story, 'v1')).toEqual(['eu-1', 'eu-2']);
  story.policy(QUICK);
  story.act();
  expect(on(story, 'v1')).toEqual(['eu-1', 'eu-2', 'us-1', 'us-2']);
});

test('B2: a hold that is put under way is told, and holds whoever has not begun', () => {
  const story = new RolloutStory({ policy: { ...QUICK, approval: 'manual' }, regions: { eu: 20 } });
  story.publish('v1');
  story.act();
  expect(on(story, 'v1').length).toBe(2);
  story.policy({ ...holding({ region: 'eu', reason: 'stop' }), approval: 'manual' });
  expect(story.told('nodes-held').length).toBe(1);
  story.control('approve');
  story.act();
  expect(on(story, 'v1').length).toBe(2);
});

test('B2: nodes on a version are held by it', () => {
  const story = new RolloutStory({ regions: { eu: 4 } });
  story.publish('v1.0.0');
  story.act();
  story.leave('eu-4');
  story.publish('v1.1.0');
  story.act();
  story.comeBack('eu-4');
  story.policy(holding({ version: '<1.1', reason: 'its data has to be moved by hand' }));
  story.publish('v1.2.0');
  story.act();
  expect([on(story, 'v1.2.0'), on(story, 'v1.0.0')]).toEqual([['eu-1', 'eu-2', 'eu-3'], ['eu-4']]);
  expect(refusals(story)).toEqual([['eu-4', 'it is held: its data has to be moved by hand']]);
});

test('B2: who lags behind on a version from which a release may not start is held, and told so', () => {
  const story = new RolloutStory({ regions: { eu: 4 } });
  story.publish('v1.0.0');
  story.act();
  story.leave('eu-4');
  story.publish('v1.5.0');
  story.act();
  story.comeBack('eu-4');
  const number = story.publish('v2.0.0', { from: ['>=1.5 <2'] });
  story.act();
  expect([story.phase, on(story, 'v2.0.0'), on(story, 'v1.0.0')]).toEqual([
    'settled',
    ['eu-1', 'eu-2', 'eu-3'],
    ['eu-4'],
  ]);
  expect(refusals(story)).toEqual([['eu-4', 'it is held: the release starts from >=1.5 <2 alone']]);
  expect(story.told('nodes-held').map(({ rollout }) => rollout)).toEqual([number]);
  story.restart();
  story.act();
  expect(on(story, 'v1.0.0')).toEqual(['eu-4']);
});

test('B2: a release that may not start from what the fleet is on is refused with the remedy', () => {
  const story = new RolloutStory();
  story.publish('v1.0.0', { from: ['0.9.0'] });
  story.publish('v1.0.0');
  story.act();
  story.publish('v2.0.0', { from: ['>=1.5', '0.9.0'] });
  expect(story.told('release-rejected').map(({ problems }) => problems)).toEqual([
    ['from: what the fleet is on is not known before a first release has settled: leave it out'],
    ['from: the fleet has settled on v1.0.0, which is none of >=1.5, 0.9.0: release one of those first'],
  ]);
});

test('B2, I5: a held node goes back after a halt like any other', () => {
  const story = new RolloutStory({ policy: { ...QUICK, approval: 'manual' }, regions: { eu: 20 } });
  story.publish('v1');
  story.act();
  story.policy({ ...holding({ region: 'eu', reason: 'stop' }), approval: 'manual' });
  story.control('halt');
  story.act();
  expect([story.phase, on(story, 'v0').length]).toEqual(['rested', 20]);
});
