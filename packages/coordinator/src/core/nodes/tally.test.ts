import type { NodeStatus } from '@swell/shared/domain/report.ts';
import { expect, test } from 'vitest';
import { digestOf, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import type { NodeFacts } from './census.ts';
import { countAttempts } from './tally.ts';

const NEW = digestOf('v1');

/** Nodes by what each said last: of which rollout, and whether it named an attempt. */
function census(...said: readonly (readonly [status: NodeStatus, rollout: number, attempt?: string])[]) {
  const nodes = said.map(([status, rollout, attempt], index): [string, NodeFacts] => {
    const node = `n${index}`;
    const named = attempt !== undefined && { attempt };
    const report = { id: '1', region: 'eu', node, service: 'web', rollout, status, ...named };
    return [
      node,
      {
        region: 'eu',
        node,
        rank: 0.5,
        seenAtMs: 0,
        running: NEW,
        labels: [],
        report,
        reported: { sequence: 1, atMs: 0 },
      },
    ];
  });
  return new Map([['eu', new Map(nodes)]]);
}

function present() {
  const story = new RolloutStory();
  story.publish('v1');
  const { release } = story.rollout;
  return { ...story.rollout, release: { ...release, rollout: 7 } };
}

test('attempts are healthy ones and failures of this rollout; who was there already has attempted nothing', () => {
  const counted = countAttempts(
    present(),
    census(
      ['healthy', 7, '1'],
      ['healthy', 7],
      ['healthy', 6, '1'],
      ['failed', 7, '1'],
      ['failed', 6, '1'],
      ['staged', 7],
    ),
  );
  expect(counted).toEqual({ attempted: 2, failed: 1 });
});

test('a lost node counts once, whatever it said, and wherever else a node bears its name', () => {
  const lost = [
    { region: 'eu', node: 'n0', revision: 1 },
    { region: 'eu', node: 'n0', revision: 2 },
    { region: 'us', node: 'n0', revision: 3 },
    { region: 'eu', node: 'ghost', revision: 4 },
  ];
  const counted = countAttempts({ ...present(), lost }, census(['healthy', 7, '1'], ['healthy', 7, '1']));
  expect(counted).toEqual({ attempted: 4, failed: 3 });
});
