import { expect, test } from 'vitest';
import { LEASE_MS } from '../../support/agent-story.ts';
import { digestOf, TruthStory } from './truth-story.ts';

const DEADLINE_MS = 600_000;

test('a good update and a good way back break nothing, and are judged', async () => {
  const story = new TruthStory();
  await story.update(story.n1);
  story.stop().order({ phase: 'halted', cursor: 0 });
  const turn = story.hear(story.n1).pulse(story.n1).claim(story.n1, 0, { kind: 'return' });
  await (await story.start(turn).cutOver(turn, digestOf(1))).commit(turn);
  story.end(turn, 'returned').free(0);
  await story.pass(DEADLINE_MS);
  story.truth.atRest([story.n1, story.n2]);
  expect(story.broken).toEqual([]);
  const { checks } = story.truth.bench;
  expect(Object.entries(checks).filter(([, times]) => times > 0)).toEqual([
    ['I1', 2],
    ['I2', 4],
    ['I3', 2],
    ['I5', 1],
    ['I6', 1],
    ['I9', 4],
    ['I10', 2],
    ['I11', 2],
  ]);
});

test('I1: a third node out where two slots are', async () => {
  const story = new TruthStory();
  for (const model of [story.n1, story.n2, story.n3]) {
    const turn = story.pulse(model).claim(model, model === story.n3 ? 0 : Number(model.name.slice(1)) - 1);
    await story.start(turn).cutOver(turn);
    if (model === story.n1) story.free(0);
  }
  expect(story.broken).toEqual(['I1 3 nodes of eu are out of rotation (n1, n2, n3), 2 may be']);
});

test('I1: what was out when the limit shrank may be, and no more', async () => {
  const story = new TruthStory();
  const first = story.pulse(story.n1).claim(story.n1, 1);
  await story.start(first).cutOver(first);
  story.order({ slots: 1 });
  expect(story.broken).toEqual([]);
  const second = story.pulse(story.n2).claim(story.n2, 0);
  await story.start(second).cutOver(second);
  expect(story.broken).toEqual(['I1 2 nodes of eu are out of rotation (n1, n2), 1 may be']);
});

test('I1: a node whose lease ran out is counted elsewhere, and one whose slot the bus forgot as well', async () => {
  const story = new TruthStory();
  story.order({ slots: 1 });
  const lost = story.pulse(story.n1).claim(story.n1, 0);
  await story.start(lost).cutOver(lost);
  await story.pass(LEASE_MS + 1);
  story.free(0);
  const forgotten = story.pulse(story.n2).claim(story.n2, 0);
  await story.start(forgotten).cutOver(forgotten);
  story.truth.restart([{ sequence: 99, atMs: 0, kind: 'wave', revision: 2, wave: story.wave.order }]);
  const third = story.pulse(story.n3).claim(story.n3, 0);
  await story.start(third).cutOver(third);
  expect(story.broken).toEqual([]);
});

test.each([
  [
    'by a slot that it never held',
    (story: TruthStory) => story.start({ ...story.claim(story.n1, 0), slot: 1 }),
    /never held/,
  ],
  [
    'by a wave that was replaced before its claim',
    async (story: TruthStory) => {
      const { wave } = story;
      await story.order().pass(1);
      story.start(story.claim(story.n1, 0), wave);
    },
    /which stood at no moment since it claimed/,
  ],
  [
    'by a wave of that revision that nobody ever stored',
    (story: TruthStory) => {
      const { revision, order } = story.wave;
      story.start(story.claim(story.n1, 0), { revision, order: { ...order, cursor: 0.5 } });
    },
    /which stood at no moment/,
  ],
  [
    'though it is not admitted',
    (story: TruthStory) => story.order({ cursor: 0 }).start(story.claim(story.n1, 0)),
    /does not admit it/,
  ],
  [
    'by a slot beyond the end',
    (story: TruthStory) => story.order({ slots: 1 }).start(story.claim(story.n1, 1)),
    /has 1 slots/,
  ],
  [
    'at another rollout than the wave orders',
    (story: TruthStory) => story.start(story.claim(story.n1, 0, { rollout: 6 })),
    /orders rollout 7/,
  ],
] as const)('I2: a start %s', async (_, tell, says) => {
  const story = new TruthStory();
  await tell(story.pulse(story.n1));
  expect(story.broken).toEqual([expect.stringMatching(says)]);
  expect(story.broken[0]).toMatch(/^I2 n1 started/);
});

test('I2: a cut-over by a slot that was given back, or whose lease has run out', async () => {
  const freed = new TruthStory();
  const turn = freed.pulse(freed.n1).claim(freed.n1, 0);
  await freed.start(turn).free(0).cutOver(turn);
  expect(freed.broken).toEqual([expect.stringMatching(/^I2 n1 cut over .* which it had freed/)]);
  const late = new TruthStory();
  const lateTurn = late.pulse(late.n1).claim(late.n1, 0);
  await (await late.start(lateTurn).pass(LEASE_MS + 5)).cutOver(lateTurn);
  expect(late.broken).toEqual([expect.stringMatching(/^I2 n1 cut over .* ran out 5 ms before/)]);
});

test('I2: a cut-over of an attempt that was never begun', async () => {
  const story = new TruthStory();
  await story.cutOver(story.claim(story.n1, 0));
  expect(story.broken).toEqual([expect.stringMatching(/^I2 n1 cuts over .* it has not begun/)]);
});

test('I3: a start without a pulse, or long after the last; a settled wave needs none', async () => {
  const story = new TruthStory();
  story.start(story.claim(story.n1, 0));
  await story.pulse(story.n2).pass(30_001);
  story.start(story.claim(story.n2, 1));
  story.order({ phase: 'settled' }).start(story.claim(story.n3, 0));
  expect(story.broken).toEqual([
    expect.stringMatching(/^I3 n1 .* without a pulse that it heard/),
    expect.stringMatching(/^I3 n2 .* 30001 ms after the last pulse/),
  ]);
});

test('I5: a start though the halt stood before the claim', () => {
  const story = new TruthStory();
  story.stop().pulse(story.n1);
  story.start(story.claim(story.n1, 0));
  expect(story.broken).toEqual([expect.stringMatching(/^I5 n1 started rollout 7, whose halt \(2\) stood/)]);
});

test('I5: a cut-over of whoever had heard the halt; not of whoever had not', async () => {
  const story = new TruthStory();
  const [deaf, hears] = [story.pulse(story.n1).claim(story.n1, 0), story.pulse(story.n2).claim(story.n2, 1)];
  story.start(deaf).start(hears).stop().hear(story.n2);
  await story.cutOver(deaf);
  expect(story.broken).toEqual([]);
  await story.cutOver(hears);
  expect(story.broken).toEqual([
    expect.stringMatching(/^I5 n2 cut over to rollout 7 .* though it had heard halt/),
  ]);
});

test('I5: a way back to another image than the last good one', async () => {
  const story = new TruthStory();
  await story.update(story.n1);
  await story.order({ rollout: 8 }).update(story.n1);
  story.stop(8);
  const turn = story.pulse(story.n1).claim(story.n1, 0, { kind: 'return' });
  await story.start(turn).cutOver(turn, digestOf(1));
  expect(story.broken).toEqual([
    expect.stringMatching(/^I5 n1 goes back to 10{11} .* last good one is 70{11}/),
  ]);
});

test('I6: a lower wave than it has gone by before; but not after its journal was lost', async () => {
  const story = new TruthStory();
  const older = story.wave;
  await story.order().update(story.n1);
  const again = story.pulse(story.n1).claim(story.n1, 0);
  story.truth.restart([{ sequence: 99, atMs: 0, kind: 'wave', revision: older.revision, wave: older.order }]);
  story.start(again, older);
  expect(story.broken).toEqual([expect.stringMatching(/^I6 n1 goes by wave 1 .* after wave 2/)]);
  story.truth.forgets(story.n1);
  story.start(story.claim(story.n1, 1), older);
  expect(story.broken).toHaveLength(1);
});

test('I9: a result that the container contradicts, and a swap that is left half done', async () => {
  const undone = new TruthStory();
  const first = undone.pulse(undone.n1).claim(undone.n1, 0);
  await (await undone.start(first).cutOver(first)).undo(first);
  undone.end(first, 'healthy');
  expect(undone.broken).toEqual([
    expect.stringMatching(/^I9 n1 has 10{11} after healthy of attempt .*, not 70{11}/),
  ]);
  const left = new TruthStory();
  const second = left.pulse(left.n1).claim(left.n1, 0);
  await left.start(second).cutOver(second);
  left.end(second, 'failed');
  expect(left.broken).toEqual([
    expect.stringMatching(/^I9 n1 says failed of attempt .* half done/),
    expect.stringMatching(/^I9 n1 has 70{11} after failed/),
  ]);
  left.truth.atRest([left.n1]);
  expect(left.broken.at(-1)).toBe('I9 n1 has a swap half done, at rest');
});

test('I9: a node that runs nothing, at rest', () => {
  const story = new TruthStory();
  story.n1.stopContainers();
  story.truth.atRest([story.n1, story.n2]);
  expect(story.broken).toEqual(['I9 n1 runs nothing, at rest']);
});

test('I10: a node that does not come back by itself; its time stands still while its agent is away', async () => {
  const story = new TruthStory();
  const turn = story.pulse(story.n1).claim(story.n1, 0);
  await story.start(turn).cutOver(turn);
  story.calmSinceMs = undefined;
  await story.pass(DEADLINE_MS);
  expect(story.broken).toEqual([]);
  story.calmSinceMs = story.time.nowMs;
  await story.pass(DEADLINE_MS);
  expect(story.broken).toEqual([expect.stringMatching(/^I10 n1 has been out for \d+ ms, \d+ ms may be/)]);
});

test('I10: a node that pulls while it is out of rotation', async () => {
  const story = new TruthStory();
  const turn = story.pulse(story.n1).claim(story.n1, 0);
  story.truth.works(story.n1, 'stage', 1_000);
  await story.start(turn).cutOver(turn);
  expect(story.broken).toEqual([]);
  story.truth.works(story.n1, 'stage', 1_000);
  expect(story.broken).toEqual(['I10 n1 pulls an image while it is out of rotation']);
});

test('I11: another digest starts than was ordered', async () => {
  const story = new TruthStory();
  const turn = story.pulse(story.n1).claim(story.n1, 0);
  await story.start(turn).cutOver(turn, digestOf(9));
  expect(story.broken).toEqual([
    expect.stringMatching(/^I11 n1 starts 90{11} in attempt .*, ordered is 70{11}/),
  ]);
});

test('I11: a rollout whose waves bring another digest than its first', async () => {
  const story = new TruthStory();
  const { release } = story.wave.order;
  const digest = digestOf(9);
  story.order({ release: { ...release, image: { ...release.image, digest } } });
  const turn = story.pulse(story.n1).claim(story.n1, 0);
  await story.start(turn).cutOver(turn);
  expect(story.broken).toEqual([expect.stringMatching(/^I11 n1 starts 90{11}/)]);
});

test('I11: a way back to an image that it was never well on', async () => {
  const story = new TruthStory();
  await story.update(story.n1);
  const turn = story.stop().pulse(story.n1).claim(story.n1, 0, { kind: 'return' });
  await story.start(turn).cutOver(turn, digestOf(9));
  expect(story.broken).toEqual([expect.stringMatching(/^I11 n1 goes back to 90{11}/)]);
});

test('I12: a cut-over of an attempt begun after the operator stopped the container', async () => {
  const story = new TruthStory();
  story.truth.operatorStops(story.n1);
  await story.pass(10);
  const turn = story.pulse(story.n1).claim(story.n1, 0);
  await story.start(turn).cutOver(turn);
  expect(story.broken).toEqual([
    expect.stringMatching(/^I12 n1 cuts over .* begun 10 ms after its operator/),
  ]);
});

test('I12: his word ends when he starts it again, and counts as kept', async () => {
  const story = new TruthStory();
  story.truth.operatorStops(story.n1);
  story.truth.operatorStarts(story.n1);
  await (await story.pass(10)).update(story.n1);
  expect({ broken: story.broken, judged: story.truth.bench.checks.I12 }).toEqual({ broken: [], judged: 1 });
});

test('I12: an attempt begun although the operator had forbidden it before the claim', async () => {
  const story = new TruthStory();
  story.truth.operatorSays(story.n1);
  await story.pass(10);
  story.start(story.pulse(story.n1).claim(story.n1, 0));
  expect(story.broken).toEqual([
    expect.stringMatching(/^I12 n1 begins attempt .*, which its operator had forbidden/),
  ]);
});

test('I12: what he says after the claim comes too late', async () => {
  const story = new TruthStory();
  const turn = story.pulse(story.n1).claim(story.n1, 0);
  await story.pass(10);
  story.truth.operatorSays(story.n1);
  story.start(turn);
  expect(story.broken).toEqual([]);
});
