import type { ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { describe, expect, test } from 'vitest';
import { EMPTY, RolloutStory } from '../../../../test/support/rollout-story.ts';
import { isVouchedFor } from './orders.ts';

/** A leader takes over, and finds this record beside the orders that stand. */
function takeOver(story: RolloutStory, record: ServiceRecord): void {
  story.state = { ...story.state, record };
  story.restart();
}

function revisions(story: RolloutStory): readonly number[] {
  return [story.halt.revision, ...[...story.waves.values()].map(({ revision }) => revision)];
}

/** A first release has settled; what happens next is forgotten. */
const FORGOTTEN: readonly (readonly [string, (story: RolloutStory) => void])[] = [
  ['the next rollout', (story) => story.publish('v2')],
  ['how far it was let in', (story) => story.act(() => story.wave('eu').cursor > 0.5)],
  ['that it settled', (story) => story.act()],
  ['that it was halted', (story) => story.control('halt')],
  ['that it was aborted', (story) => story.control('abort')],
];

describe('a record that was put back alone', () => {
  test.each(FORGOTTEN)('orders nothing, and says so, where it has forgotten %s', (what, happens) => {
    const story = new RolloutStory({ regions: { eu: 10 } });
    story.publish('v1');
    story.act();
    if (what !== 'the next rollout') story.publish('v2');
    story.act(() => story.wave('eu').phase === 'open');
    const { record } = story.state;
    happens(story);
    story.actOnce();
    const stood = revisions(story);
    takeOver(story, record);
    story.act();
    expect(revisions(story)).toEqual(stood);
    expect(story.told('record-set-back').length).toBe(1);
  });

  test('orders nothing either where it is not there any more, and vouches for nobody who could start', () => {
    const story = new RolloutStory({ regions: { eu: 10 } });
    story.publish('v1');
    story.act(() => story.wave('eu').phase === 'open');
    const stood = revisions(story);
    takeOver(story, EMPTY);
    expect(isVouchedFor(story.state, 'eu')).toBe(false);
    story.act();
    expect(revisions(story)).toEqual(stood);
  });

  test('is gone on with once a person has deleted the orders that it does not know', () => {
    const story = new RolloutStory({ regions: { eu: 10 } });
    story.publish('v1');
    story.act();
    const { record } = story.state;
    story.publish('v2');
    story.act();
    story.waves.clear();
    takeOver(story, record);
    story.publish('v3');
    story.act();
    expect([story.phase, story.rollout.release.version]).toEqual(['settled', 'v3']);
  });
});

test('whatever a leader is cut off from, its successor finds no order ahead of what was saved', () => {
  const story = new RolloutStory({ regions: { eu: 10, us: 10 } });
  story.publish('v1');
  for (let round = 0; round < 40; round += 1) {
    story.actOnce();
    if (round === 10) story.control('pause');
    if (round === 12) story.control('resume');
    if (round === 20) story.publish('v2');
    if (round === 30) story.control('halt');
    story.restart();
  }
  expect(story.told('record-set-back')).toEqual([]);
});
