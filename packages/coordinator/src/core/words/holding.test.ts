import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

function on(story: RolloutStory, tag: string): readonly string[] {
  const there = [...story.nodes.values()].filter(({ running }) => running === digestOf(tag));
  return there.map(({ node }) => node).sort();
}

const answers = (story: RolloutStory): readonly string[] =>
  story.told().flatMap(({ name, line }) => (name.startsWith('control-') ? [line] : []));

test('B2: nodes that an operator holds stay as they are, beyond the end of a rollout, until he lets them go', () => {
  // Of several stages one might be of held nodes alone, which opens for nobody.
  const story = new RolloutStory({ policy: { ...QUICK, stagesPercent: [100] }, regions: { eu: 4 } });
  story.control('hold', { hold: { nodes: ['eu-1', 'eu-3'], reason: 'new disks' } });
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', ['eu-2', 'eu-4']]);
  expect(story.reports.get('eu-1')?.report).toMatchObject({
    status: 'refused',
    reason: 'it is held: new disks',
  });
  expect(story.told('nodes-held').map(({ line }) => line)).toEqual([
    `rollout ${story.rollout.release.rollout} of web passes over eu-1, eu-3 (new disks)`,
  ]);
  story.restart();
  story.pass(60_000);
  story.publish('v2');
  story.act();
  expect([story.phase, on(story, 'v2')]).toEqual(['settled', ['eu-2', 'eu-4']]);
  // Whatever the order in which they are named.
  story.control('unhold', { nodes: { nodes: ['eu-3', 'eu-1'] } });
  story.act();
  expect(on(story, 'v2')).toEqual(['eu-1', 'eu-2', 'eu-3', 'eu-4']);
  expect(answers(story)).toEqual(['hold of web: done', 'unhold of web: done']);
});

test('B2: it holds beside what the policy holds, and by its own reason', () => {
  const story = new RolloutStory({
    policy: { ...QUICK, hold: [{ region: 'us', reason: 'a fair' }] },
    regions: { eu: 2, us: 2 },
  });
  story.label('rack=7', 'us-1', 'eu-1');
  story.control('hold', { hold: { label: 'rack=7', region: 'us', reason: 'new disks' } });
  story.publish('v1');
  story.act();
  expect(on(story, 'v1')).toEqual(['eu-1', 'eu-2']);
  expect(['us-1', 'us-2'].map((node) => story.reports.get(node)?.report.reason)).toEqual([
    'it is held: new disks',
    'it is held: a fair',
  ]);
});

test('B14: the same nodes are held once, also before there was a rollout; a newer word gives the reason', () => {
  const story = new RolloutStory();
  for (const reason of ['new disks', 'new fans'])
    story.control('hold', { hold: { label: 'rack=7', reason } });
  expect(story.state.record.held).toEqual([{ label: 'rack=7', reason: 'new fans' }]);
  expect(answers(story)).toEqual(['hold of web: done', 'hold of web: done']);
});

test('B14: what nobody holds cannot be let go, and the refusal tells what is held', () => {
  const story = new RolloutStory();
  story.control('unhold', { nodes: { nodes: ['eu-1'] } });
  story.control('hold', { hold: { label: 'rack=7', region: 'eu', version: '<2', reason: 'new disks' } });
  story.control('unhold', { nodes: { label: 'rack=7' } });
  expect(answers(story)).toEqual([
    'unhold of web is refused: nobody has said to hold eu-1, nor anybody else',
    'hold of web: done',
    'unhold of web is refused: nobody has said to hold nodes with the label rack=7: ' +
      'lift with the same fields what is held, nodes with the label rack=7 in eu on <2',
  ]);
});

test('B2: there are no more holds than every wave can carry', () => {
  const story = new RolloutStory();
  for (let rack = 0; rack < 17; rack += 1)
    story.control('hold', { hold: { label: `rack=${rack}`, reason: 'new disks' } });
  expect([story.state.record.held.length, answers(story).at(-1)]).toEqual([
    16,
    'hold of web is refused: 16 holds are in force: lift one, or label the nodes and hold their label',
  ]);
});

test('K3: of nodes that are held together some may be let go', () => {
  const story = new RolloutStory();
  story.control('hold', { hold: { nodes: ['eu-1', 'eu-2', 'eu-3'], reason: 'new disks' } });
  story.control('unhold', { nodes: { nodes: ['eu-2'] } });
  expect(story.state.record.held).toEqual([{ nodes: ['eu-1', 'eu-3'], reason: 'new disks' }]);
  // By another field they are not what was held.
  story.control('unhold', { nodes: { nodes: ['eu-1'], region: 'eu' } });
  expect(story.state.record.held).toHaveLength(1);
  story.control('unhold', { nodes: { nodes: ['eu-1', 'eu-2', 'eu-3'] } });
  expect(story.state.record.held).toEqual([]);
});

test('B2: a node that nobody has heard of may be held, and the answer says so', () => {
  const story = new RolloutStory();
  story.control('hold', { hold: { nodes: ['eu-1', 'ue-2'], reason: 'new disks' } });
  expect(answers(story)).toEqual(['hold of web: done, and nobody has heard of ue-2 yet']);
});
