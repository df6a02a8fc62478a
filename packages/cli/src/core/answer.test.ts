import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { expect, test } from 'vitest';
import { type Asked, answerTo } from './answer.ts';

function event(change: Partial<FleetEvent>): FleetEvent {
  return {
    id: 'web.0.control-applied.17-1700000000000',
    name: 'control-applied',
    service: 'web',
    line: '',
    ...change,
  };
}

test.each<[Asked, Partial<FleetEvent>, boolean | null | undefined]>([
  ['control', {}, true],
  ['control', { name: 'control-rejected' }, false],
  ['control', { id: 'web.0.control-applied.170-1700000000000' }, undefined],
  // A service that no coordinator can look after.
  ['control', { id: 'unknown.control-rejected.17', name: 'control-rejected', rollout: 17 }, false],
  ['release', { id: 'web.17.release-accepted.4', name: 'release-accepted', rollout: 17 }, true],
  ['release', { id: 'web.18.release-accepted.17', name: 'release-accepted', rollout: 18 }, undefined],
  ['release', { id: 'web.17.release-rejected.4', name: 'release-rejected', rollout: 17 }, false],
  ['release', { id: 'web.17.rollout-aborted.4', name: 'rollout-aborted', rollout: 17 }, false],
  ['release', { id: 'web.17.release-delayed.4', name: 'release-delayed', rollout: 17 }, null],
  ['release', { id: 'web.18.release-delayed.17', name: 'release-delayed', rollout: 18 }, undefined],
  // Its number was used before: it is spoken of by its place alone.
  ['release', { id: 'web.0.release-rejected.17-1700000000000', name: 'release-rejected' }, false],
  ['policy', { id: 'web.0.policy-accepted.17-1', name: 'policy-accepted', revision: 17 }, true],
  ['policy', { id: 'web.0.policy-rejected.17-1', name: 'policy-rejected', revision: 17 }, false],
  ['policy', {}, undefined],
])('what answers a %s: %j', (asked, change, applied) => {
  expect(answerTo(asked, 17, event(change))?.applied).toBe(applied);
});
