import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import { policyOf } from '../state.ts';
import { viewHistory, viewRollout } from './view.ts';

const MANUAL = { ...QUICK, stagesPercent: [50, 100], approval: 'manual' } as const;

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z');
}

test('Z6: a rollout by its regions: cursor in nodes, slots and who holds them, standings, and why it waits', () => {
  const failureBudget = { max: { kind: 'count', count: 5 }, minSample: 1 } as const;
  const story = new RolloutStory({ policy: { ...MANUAL, failureBudget } });
  const number = story.publish('v1');
  story.behave('fails', story.line('eu')[0]?.node ?? '');
  story.act();
  story.writeSlot('eu', 1, { node: 'eu-9', rollout: number, attempt: 'a', leaseMs: 60_000 });
  const digest = story.rollout.release.image.digest;
  expect(viewRollout(story.state, story.nowMs)).toEqual({
    service: 'web',
    line: `rollout ${number} of web (v1): stage 1 of 2 (50 %) is through, and the word "approve" opens the next stage`,
    because: 'approval',
    rollout: number,
    version: 'v1',
    image: `registry.example/web@${digest}`,
    phase: 'gated',
    stage: { number: 1, of: 2, percent: 50 },
    attempts: { attempted: 5, failed: 1 },
    regions: [
      {
        region: 'eu',
        itsTurn: true,
        windowClosed: false,
        nodes: 10,
        admitted: 5,
        inStage: 5,
        slots: { of: 2, held: { 1: 'eu-9' } },
        standing: { updated: 4, underway: 0, staged: 0, waiting: 5, held: 0, refused: 0, failed: 1, back: 0 },
      },
    ],
    complete: true,
    policy: policyOf(story.state),
  });
});

test('Z6: before anything was released, and while a release waits', () => {
  const story = new RolloutStory({ policy: { ...QUICK, coolDownMs: 60_000 } });
  expect(viewRollout(story.state, story.nowMs)).toMatchObject({
    phase: 'none',
    because: 'nothing-released',
    regions: [],
  });
  const number = story.publish('v1');
  expect(viewRollout(story.state, story.nowMs)).toMatchObject({
    phase: 'none',
    because: 'wait',
    waiting: { rollout: number, line: expect.stringMatching(/ begins at .*, after its cool-down of 1m$/) },
  });
});

test('Z6: history tells of each rollout its number, version, digest, times, end and why; also after a restart', () => {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 2 } });
  const times: string[] = [];
  const publish = (tag: string): number => {
    const number = story.publish(tag);
    times.push(timeOf(story.nowMs));
    story.act();
    return number;
  };
  const first = publish('v1');
  story.control('approve');
  story.act();
  const second = publish('v2');
  const third = publish('v3');
  story.behave('fails');
  story.control('halt', { reason: 'bad' });
  const haltedAt = timeOf(story.nowMs);
  story.act();
  const fourth = publish('v4');
  story.restart();
  const { line, rollouts } = viewHistory(story.state);
  expect(line).toBe('4 rollouts of web are remembered: the fleet has settled on v1');
  expect(rollouts.map(({ rollout, version, outcome }) => [rollout, version, outcome])).toEqual([
    [fourth, 'v4', 'halted'],
    [third, 'v3', 'halted'],
    [second, 'v2', 'superseded'],
    [first, 'v1', 'settled'],
  ]);
  expect(rollouts.map(({ begunAt }) => begunAt)).toEqual(times.toReversed());
  expect(rollouts[1]).toEqual({
    rollout: third,
    version: 'v3',
    digest: story.images.get('v3'),
    begunAt: times[2],
    outcome: 'halted',
    endedAt: haltedAt,
    reason: 'bad',
    attempted: 1,
    failed: 0,
  });
});
