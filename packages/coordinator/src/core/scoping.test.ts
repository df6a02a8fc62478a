import { recordWithAll, recordWithin } from '@swell/shared/domain/within-scope.ts';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../test/support/rollout-story.ts';
import { takenOver } from './scoping.ts';

const isOurs = (region: string): boolean => region === 'eu';

function story(): RolloutStory {
  const fleet = new RolloutStory({ policy: QUICK, regions: { eu: 4, us: 4 } });
  fleet.publish('v1');
  fleet.act();
  fleet.publish('v2');
  return fleet;
}

test('of a record the regions of others are left out, and everything else stays', () => {
  const { record } = story().state;
  const { rollout, ...rest } = record;
  const within = recordWithin(record, isOurs);
  expect(within).toEqual({ ...rest, rollout: { ...rollout, regions: { eu: rollout?.regions['eu'] } } });
  expect(recordWithin(within, isOurs)).toBe(within);
  expect(recordWithin(record, () => true)).toBe(record);
});

test('what is saved keeps where the regions of others had come to, for as long as the rollout is the same', () => {
  const fleet = story();
  const { record } = fleet.state;
  const within = recordWithin(record, isOurs);
  expect(recordWithAll(within, record, isOurs)).toEqual(record);
  fleet.publish('v3');
  fleet.act();
  const later = recordWithin(fleet.state.record, isOurs);
  expect(recordWithAll(later, record, isOurs)).toBe(later);
});

test('a new scope knows what the global one knew, and says nothing of what that one says', () => {
  const { record } = story().state;
  const said = {
    ...record,
    outbox: [{ id: 'x', name: 'rollout-settled', service: 'web', line: 'y' }],
  } as const;
  const { outbox, eventsTold, ...kept } = takenOver(said, 'europe');
  const { outbox: _outbox, eventsTold: told, ...before } = record;
  expect(kept).toEqual(before);
  expect(eventsTold).toBe(told + 1);
  expect(outbox.map(({ name, line }) => [name, line])).toEqual([
    ['record-taken-over', 'scope europe goes on with web where the global one stands'],
  ]);
});
