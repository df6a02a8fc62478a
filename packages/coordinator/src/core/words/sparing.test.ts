import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const STRICT = { ...QUICK, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } } as const;
const MANUAL = { ...QUICK, approval: 'manual', stagesPercent: [50, 100] } as const;

const on = (story: RolloutStory, tag: string): number =>
  [...story.nodes.values()].filter(({ running }) => running === digestOf(tag)).length;

const fleet = (story: RolloutStory) => ['v0', 'v1', 'v2'].map((tag) => on(story, tag));

const settled = (story: RolloutStory) => story.state.record.settled.map(({ version }) => version);

const answers = (story: RolloutStory): readonly string[] =>
  story.told().flatMap(({ name, line }) => (name.startsWith('control-') ? [line] : []));

interface Halfway {
  readonly story: RolloutStory;
  /** The rollout as which the fleet has settled on v1. */
  readonly good: number;
}

/** Everybody has settled on v1, and half of them are on v2. */
function halfway(): Halfway {
  const story = new RolloutStory({ regions: { eu: 8 } });
  const good = story.publish('v1');
  story.act();
  story.policy(MANUAL);
  story.publish('v2');
  story.act();
  expect([story.phase, fleet(story)]).toEqual(['gated', [0, 4, 4]]);
  return { story, good };
}

/** And an undo of that has come as far as to two of those. */
function undoing(): Halfway {
  const { story, good } = halfway();
  story.control('undo');
  story.act(() => on(story, 'v1') > 4);
  expect(fleet(story)).toEqual([0, 6, 2]);
  return { story, good };
}

test('N11: an undo that fails its budget is stopped, and sends nobody to what was before', () => {
  const { story, good } = halfway();
  story.policy(STRICT);
  story.behave('fails', ...story.nodes.keys());
  story.control('undo');
  const { rollout } = story.rollout.release;
  story.act();
  expect([story.phase, fleet(story)]).toEqual(['rested', [0, 4, 4]]);
  expect(story.halt.order).toMatchObject({ rollout, digest: digestOf('v1'), stay: true, settledAs: good });
  expect(story.wave('eu').phase).toBe('halted');
  expect(settled(story)).toEqual(['v1']);
  expect(story.told('rollout-halted').at(-1)?.line).toMatch(
    new RegExp(
      `is halted, and who is on it stays, since the fleet had settled on it as rollout ${good}: 1 of`,
    ),
  );
});

test('B14: so is one that a person halts, whatever he says of a return, and once', () => {
  const { story } = undoing();
  for (const word of [{}, { stay: true }, {}] as const) story.control('halt', word);
  story.act();
  story.restart();
  story.pass(600_000);
  story.act();
  expect([story.phase, fleet(story), story.told('rollout-halted').length]).toEqual(['rested', [0, 6, 2], 1]);
});

test('N13: what has settled by an undo, and is halted after that, takes everybody back', () => {
  const { story } = undoing();
  story.policy(QUICK);
  story.act();
  expect([story.phase, fleet(story)]).toEqual(['settled', [0, 8, 0]]);
  story.control('halt');
  story.act();
  expect([story.phase, on(story, 'v1'), story.halt.order?.settledAs]).toEqual(['rested', 0, undefined]);
});

test('B12: the next release follows on what the fleet had settled on, and its halt leads back there', () => {
  const { story } = undoing();
  story.control('halt');
  story.act();
  story.policy(QUICK);
  story.publish('v3');
  story.act();
  expect([story.phase, on(story, 'v3')]).toEqual(['settled', 8]);
  story.control('halt');
  story.act();
  expect([story.phase, fleet(story)]).toEqual(['rested', [0, 8, 0]]);
});

test('B12: the image is not taken again, by whatever word, without being accepted', () => {
  const { story, good } = undoing();
  const { rollout } = story.rollout.release;
  story.control('halt', { reason: 'slow' });
  story.act();
  story.publish('v1');
  expect(story.told('release-rejected').at(-1)?.line).toContain(`was halted as rollout ${rollout} (slow)`);
  story.control('undo');
  story.control('rollback', { version: 'v1' });
  const refused = `is refused: v1 was halted as rollout ${rollout} (slow): release it with "acceptHalted": true`;
  expect(answers(story).slice(-2)).toEqual([`undo of web ${refused}`, `rollback of web ${refused}`]);
  story.publish('v1', { acceptHalted: true });
  story.policy(QUICK);
  story.act();
  expect([story.phase, fleet(story), story.halt.order]).toEqual(['settled', [0, 8, 0], undefined]);
  expect(story.rollout.release.rollout).toBeGreaterThan(good);
});

test('Z6: what brings what has settled already, and has not come through, is undone to the same', () => {
  const { story } = undoing();
  const { rollout } = story.rollout.release;
  story.control('rollback', { version: 'v1' });
  story.control('abort');
  story.control('undo');
  story.policy(QUICK);
  story.act();
  expect([story.rollout.release.rollout > rollout, story.phase, fleet(story)]).toEqual([
    true,
    'settled',
    [0, 8, 0],
  ]);
  const again = new RolloutStory({ regions: { eu: 4 } });
  for (const tag of ['v1', 'v2']) {
    again.publish(tag);
    again.act();
  }
  again.policy(MANUAL);
  const second = again.publish('v2');
  again.control('undo');
  expect(answers(again)).toEqual([`undo of web: rollout ${second} brings v2 already`]);
});
