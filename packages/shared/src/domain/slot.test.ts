import { expect, test } from 'vitest';
import { freeSlots, type SlotEntry, type SlotView, seenSlot, withFallen } from './slot.ts';

const holder = { node: 'n1', rollout: 7, attempt: 'a1', leaseMs: 120_000 };

function view(...entries: readonly (readonly [number, SlotEntry])[]): SlotView {
  return new Map(entries);
}

test('a slot that nobody wrote, or that was freed, is free; a claim expects what stands there', () => {
  const seen = view([0, { revision: 4, holder }], [2, { revision: 9 }]);
  expect(freeSlots(seen, 4)).toEqual([
    { slot: 1, revision: 0 },
    { slot: 2, revision: 9 },
    { slot: 3, revision: 0 },
  ]);
});

test('slots that the wave no longer has are not free, whoever left them', () => {
  expect(freeSlots(view([3, { revision: 5 }]), 2)).toEqual([
    { slot: 0, revision: 0 },
    { slot: 1, revision: 0 },
  ]);
  expect(freeSlots(view([0, { revision: 5, holder }]), 1)).toEqual([]);
});

test('no slot is free while one beyond the end of a smaller wave is held', () => {
  expect(freeSlots(view([4, { revision: 7, holder }]), 3)).toEqual([]);
  expect(freeSlots(view([4, { revision: 7 }]), 1)).toEqual([{ slot: 0, revision: 0 }]);
});

test('an entry older than the one known changes nothing, and the view that one has is never changed', () => {
  const before = view([0, { revision: 5, holder }]);
  expect(seenSlot(before, 0, { revision: 4 })).toBe(before);
  expect(seenSlot(before, 0, { revision: 5 })).toBe(before);
  const after = seenSlot(before, 0, { revision: 6 });
  expect(after).toEqual(view([0, { revision: 6 }]));
  expect(before).toEqual(view([0, { revision: 5, holder }]));
  expect(seenSlot(after, 1, { revision: 1, holder })).toEqual(
    view([0, { revision: 6 }], [1, { revision: 1, holder }]),
  );
});

test('a slot that has fallen shows what the leader says, unless something newer was heard meanwhile', () => {
  const before = view([0, { revision: 5, holder }]);
  expect(withFallen(before, 0, { was: 5, entry: { revision: 0 } })).toEqual(view([0, { revision: 0 }]));
  expect(withFallen(before, 0, { was: 4, entry: { revision: 2 } })).toBe(before);
  expect(withFallen(before, 1, { was: 4, entry: { revision: 2 } })).toBe(before);
});
