import { expect, test } from 'vitest';
import { digestOf, LEASE_MS, LogStory, REGION } from '../../../../test/support/log-story.ts';
import type { LogEntry } from './log.ts';
import type { NodeId } from './names.ts';
import { rankOf } from './rank.ts';
import { RULE_IDS } from './rules/rule.ts';
import { type CheckerOptions, checkLog, createChecker, type LogEnd } from './rules.ts';

/** Rollout 7 reaches everybody, wave by wave, and settles. */
function goodRollout(story = new LogStory()): LogStory {
  story.write({ kind: 'release', service: 'web', rollout: 7 });
  story.tell('release-accepted', { rollout: 7 });
  story.order(7, { phase: 'staging', cursor: 0 });
  story.report({ node: 'n1', rollout: 7, attempt: 's1' }, 'staged');
  story.order(7);
  const first = story.claim('n1', 0);
  const second = story.claim('n2', 1);
  story.start(first);
  story.start(second);
  story.pass(LEASE_MS / 3).renew(first);
  story.report(first, 'healthy', { running: digestOf(7) });
  story.free(first);
  story.update('n3', 0);
  story.report(second, 'interrupted', { reason: 'the engine went away' });
  story.free(second);
  story.order(7, { phase: 'paused' });
  story.order(7);
  story.update('n2', 1);
  story.order(7, { phase: 'settled' });
  story.tell('rollout-settled', { rollout: 7 });
  const late = story.claim('n4', 0);
  const revision = story.wave?.revision ?? 0;
  story.start(late, { warrant: { waveRevision: revision, slot: 0, fence: late.fence } });
  story.report(late, 'healthy', { running: digestOf(7) });
  story.free(late);
  return story;
}

/** Rollout 8 is bad: one node fails, one is turned back half-way, one goes back; the fleet is on 7 again. */
function haltedRollout(story = goodRollout()): LogStory {
  story.write({ kind: 'release', service: 'web', rollout: 8 });
  story.order(8, { phase: 'staging', cursor: 0 });
  story.order(8);
  story.update('n1', 0);
  story.update('n2', 1, 'failed');
  const turn = story.claim('n3', 0);
  story.start(turn);
  story.halt(8);
  story.order(8, { phase: 'halted', cursor: 0, stageBelow: 0 });
  story.report(turn, 'returning', { id: 'turned back' });
  story.report(turn, 'returned', { running: digestOf(7) });
  story.free(turn);
  story.goBack('n1', 0);
  story.order(7, { phase: 'settled', seed: 'seed-8' });
  return story;
}

function rulesBroken(story: LogStory, options?: CheckerOptions & LogEnd) {
  return checkLog(story.entries, options).map(({ rule }) => rule);
}

test('a good rollout and a halted one break no rule', () => {
  expect(checkLog(goodRollout().entries)).toEqual([]);
  expect(checkLog(haltedRollout().entries)).toEqual([]);
});

/** The same log as it comes out of streams that are each in order and copied with delays of their own. */
function mixed(entries: readonly LogEntry[], seed: number): LogEntry[] {
  let chance = seed;
  const next = () => {
    chance = (chance * 1_103_515_245 + 12_345) % 2 ** 31;
    return chance / 2 ** 31;
  };
  const copiedAt = new Map<string, number>();
  const stream = (entry: LogEntry) => (entry.kind === 'halt' ? 'wave' : entry.kind);
  return entries
    .map((entry) => {
      const atMs = Math.max(copiedAt.get(stream(entry)) ?? 0, entry.atMs + next() * 4_500);
      copiedAt.set(stream(entry), atMs);
      return { ...entry, atMs };
    })
    .sort((a, b) => a.atMs - b.atMs)
    .map((entry, index) => ({ ...entry, sequence: index + 1 }));
}

test('streams that are copied at different speeds break no rule', () => {
  const { entries } = haltedRollout();
  for (let seed = 1; seed <= 200; seed += 1) {
    expect({ seed, violations: checkLog(mixed(entries, seed)) }).toEqual({ seed, violations: [] });
  }
});

test('what happened before the log begins is not judged', () => {
  const { entries } = haltedRollout();
  for (let from = 0; from <= entries.length; from += 1) {
    expect({ from, violations: checkLog(entries.slice(from)) }).toEqual({ from, violations: [] });
  }
});

test('a log that was cut off in the middle has open ends, and they are none', () => {
  const { entries } = haltedRollout();
  for (let to = 0; to <= entries.length; to += 1) {
    const violations = checkLog(entries.slice(0, to), { atRest: false });
    expect({ to, violations }).toEqual({ to, violations: [] });
  }
});

test('reports and orders that are repeated are harmless', () => {
  const { entries } = haltedRollout();
  const orders = entries.filter(({ kind }) => kind === 'wave' || kind === 'halt');
  const reports = entries.filter(({ kind }) => kind === 'report');
  expect(checkLog([...entries, ...orders.slice(-1), ...reports])).toEqual([]);
});

/** Two nodes are out, by both slots that there are. */
function twoOut(): {
  story: LogStory;
  first: ReturnType<LogStory['claim']>;
  second: ReturnType<LogStory['claim']>;
} {
  const story = new LogStory();
  story.order(7);
  const [first, second] = [story.claim('n1', 0), story.claim('n2', 1)];
  story.start(first);
  story.start(second);
  return { story, first, second };
}

function finish(story: LogStory, ...turns: readonly ReturnType<LogStory['claim']>[]): void {
  for (const turn of turns) story.report(turn, 'healthy', { running: digestOf(7) });
}

test('I1: a slot freed before its node is back lets a third one out where two may be', () => {
  const { story, first, second } = twoOut();
  story.free(first);
  const third = story.claim('n3', 0);
  story.start(third);
  story.pass(90_000);
  finish(story, first, second, third);
  expect(checkLog(story.entries)).toEqual([
    {
      rule: 'I1',
      sequence: 8,
      message: 'n3 (web in eu) went out of rotation as number 3 where 2 may be out: n1, n2, n3',
    },
  ]);
});

test('I1: where the log is cut off before the result could come into it, nobody knows', () => {
  const { story, first } = twoOut();
  story.free(first);
  story.start(story.claim('n3', 0));
  expect(checkLog(story.entries, { atRest: false })).toEqual([]);
  expect(rulesBroken(story)).toContain('I1');
});

test('I1: reports that are stored late let nobody out who was not', () => {
  const { story, first, second } = twoOut();
  story.free(first);
  const third = story.claim('n3', 0);
  story.start(third);
  finish(story, first, third);
  story.free(third);
  const fourth = story.claim('n4', 0);
  story.free(fourth);
  const fifth = story.claim('n5', 0);
  story.start(fifth);
  story.start(fourth);
  finish(story, fourth, fifth, second);
  expect(checkLog(story.entries)).toEqual([]);
});

test('I1: a slot that the wave does not have is none', () => {
  const story = new LogStory();
  story.order(7);
  const turn = story.claim('n1', 2);
  story.start(turn);
  finish(story, turn);
  expect(rulesBroken(story)).toEqual(['I1']);
});

test('I1: a node whose slot was lost and cleared is counted elsewhere, one that was only lost is not', () => {
  const lose = (clears: boolean) => {
    const { story, first, second } = twoOut();
    story.pass(LEASE_MS / 2).renew(second);
    story
      .pass(LEASE_MS / 2)
      .tell('slot-lost', { region: REGION, node: 'n1', slot: 0, revision: first.fence });
    if (clears) story.free(first);
    const third = { ...story.claim('n3', clears ? 0 : 1), node: 'n3' };
    story.start(third);
    finish(story, second, third);
    story.report(first, 'interrupted');
    return rulesBroken(story);
  };
  expect(lose(true)).toEqual([]);
  expect(lose(false)).toContain('I1');
});

test('I1: who is out when the slots become fewer may end, and nobody is added meanwhile', () => {
  const shrink = (mayEnd: boolean) => {
    const story = new LogStory();
    story.order(7, { slots: 4 });
    const turns = ['n1', 'n2', 'n3'].map((node, slot) => story.claim(node, slot + 1));
    for (const turn of turns) story.start(turn);
    story.order(7, { slots: 1 });
    if (mayEnd) finish(story, ...turns);
    const next = story.claim('n4', 0);
    story.start(next);
    if (!mayEnd) finish(story, ...turns);
    finish(story, next);
    return rulesBroken(story);
  };
  expect(shrink(true)).toEqual([]);
  expect(shrink(false)).toEqual(['I1']);
});

test('I1: a node that goes back is out too, unless it had failed already', () => {
  const goBack = (failed: boolean) => {
    const story = new LogStory();
    story.order(8);
    story.update('n1', 0, failed ? 'failed' : 'healthy');
    const [second, third] = [story.claim('n2', 0), story.claim('n3', 1)];
    story.start(second);
    story.start(third);
    story.halt(8);
    story.order(8, { phase: 'halted' });
    const back = { node: 'n1', rollout: 8, attempt: 'back' };
    story.report(back, 'returning');
    for (const turn of [back, second, third]) story.report(turn, 'returned', { running: digestOf(7) });
    return rulesBroken(story);
  };
  expect(goBack(true)).toEqual([]);
  expect(goBack(false)).toEqual(['I1']);
});

test('I1: a way back needs a slot that its node holds', () => {
  const story = new LogStory();
  story.order(8);
  story.update('n1', 0);
  story.halt(8);
  story.order(8, { phase: 'halted' });
  const turn = story.claim('n2', 0);
  story.start({ ...turn, node: 'n1' }, {}, 'returning');
  story.report({ ...turn, node: 'n1' }, 'returned', { running: digestOf(7) });
  expect(rulesBroken(story)).toEqual(['I1']);
});

const N1_RANK = rankOf('seed-7', 'n1');

test.each<[string, string, (story: LogStory) => void]>([
  [
    'is not admitted',
    `started by wave 1, which is open up to ${N1_RANK} and does not admit its rank ${N1_RANK}`,
    (story) => {
      story.order(7, { cursor: N1_RANK });
      story.update('n1', 0);
    },
  ],
  [
    'starts in a pause',
    'started by wave 1, which is paused up to 1',
    (story) => {
      story.order(7, { phase: 'paused' });
      story.update('n1', 0);
    },
  ],
  [
    'starts another rollout',
    'started rollout 9 by wave 1, which orders rollout 7',
    (story) => {
      story.order(7);
      const turn = story.claim('n1', 0, 9);
      story.start(turn);
      story.report(turn, 'healthy', { running: digestOf(9) });
    },
  ],
  [
    'goes by a wave that nobody stored',
    'started by wave 5, which nobody stored',
    (story) => {
      story.order(7);
      const turn = story.claim('n1', 0);
      story.start(turn, { warrant: { waveRevision: 5, slot: 0, fence: turn.fence, pulseAgeMs: 0 } });
      finish(story, turn);
    },
  ],
  [
    'did not read the wave again after its claim',
    'started by wave 1, though wave 2 was there before it claimed its slot',
    (story) => {
      story.order(7);
      story.order(7, { phase: 'paused' });
      const turn = story.pass(10_000).claim('n1', 0);
      story.start(turn, { warrant: { waveRevision: 1, slot: 0, fence: turn.fence, pulseAgeMs: 0 } });
      finish(story, turn);
    },
  ],
  [
    'has heard no pulse for too long',
    'started by wave 1 with a pulse 30001 ms old (at most 30000)',
    (story) => {
      story.order(7);
      const turn = story.claim('n1', 0);
      story.start(turn, { warrant: { waveRevision: 1, slot: 0, fence: turn.fence, pulseAgeMs: 30_001 } });
      finish(story, turn);
    },
  ],
  [
    'has heard no pulse at all',
    'started by wave 1 without a pulse',
    (story) => {
      story.order(7);
      const turn = story.claim('n1', 0);
      story.start(turn, { warrant: { waveRevision: 1, slot: 0, fence: turn.fence } });
      finish(story, turn);
    },
  ],
  [
    'has no warrant',
    'started without a warrant',
    (story) => {
      story.order(7);
      const turn = { node: 'n1', rollout: 7, attempt: 'a1' };
      story.report(turn, 'updating');
      story.report(turn, 'healthy', { running: digestOf(7) });
    },
  ],
  [
    "names another's slot",
    'started by slot 0 at revision 1, which n2 held for attempt a1',
    (story) => {
      story.order(7);
      const turn = { ...story.claim('n2', 0), node: 'n1' };
      story.start(turn);
      finish(story, turn);
    },
  ],
  [
    'names a claim that nobody stored',
    'started by slot 0 at revision 9, which nobody stored',
    (story) => {
      story.order(7);
      const turn = { ...story.claim('n1', 0), fence: 9 };
      story.start(turn);
      finish(story, turn);
    },
  ],
])('I2: a node that %s breaks it', (_, says, tell) => {
  const story = new LogStory();
  tell(story);
  const violations = checkLog(story.entries);
  expect(violations.map(({ rule }) => rule)).toEqual(['I2']);
  expect(violations[0]?.message).toContain(`n1 (web in eu) ${says}`);
});

test('I2: a fence from a renewal is as good as one from the claim', () => {
  const story = new LogStory();
  story.order(7);
  const turn = story.claim('n1', 0);
  const fence = story.renew(turn);
  story.start({ ...turn, fence });
  finish(story, turn);
  expect(checkLog(story.entries)).toEqual([]);
});

test('I4: a cursor that falls breaks it, also after a pause or when a settled wave opens again', () => {
  const fall = (...waves: readonly Parameters<LogStory['order']>[1][]) => {
    const story = new LogStory();
    for (const wave of waves) story.order(7, wave);
    return rulesBroken(story);
  };
  expect(fall({ cursor: 0.5 }, { phase: 'paused', cursor: 0.5 }, { cursor: 0.4 })).toEqual(['I4']);
  expect(fall({ phase: 'settled' }, { cursor: 0.9 })).toEqual(['I4']);
  expect(fall({ cursor: 0.5 }, { phase: 'aborted', cursor: 0 })).toEqual([]);
  expect(fall({ cursor: 0.5 }, { phase: 'halted', cursor: 0 })).toEqual([]);
});

test('I4: another seed in the same rollout admits other nodes', () => {
  const story = new LogStory();
  story.order(7, { cursor: 0.5 });
  story.order(7, { cursor: 0.6, seed: 'another' });
  expect(rulesBroken(story)).toEqual(['I4']);
});

/** Rollout 8 is halted while nobody is out. */
function halted(): LogStory {
  const story = new LogStory();
  story.order(7, { phase: 'settled' });
  story.order(8);
  story.halt(8);
  return story;
}

test('I5: a start by a wave that came after the halt breaks it', () => {
  const story = halted();
  story.order(8);
  const turn = story.claim('n1', 0);
  story.start(turn);
  story.report(turn, 'returned', { running: digestOf(7) });
  expect(checkLog(story.entries)).toEqual([
    {
      rule: 'I5',
      sequence: 6,
      message: 'n1 (web in eu) started rollout 8 by wave 4, after its halt at revision 3',
    },
  ]);
});

test('I5: a start by an older wave, with a slot claimed well after the halt, breaks it', () => {
  const start = (afterMs: number) => {
    const story = halted();
    const turn = story.pass(afterMs).claim('n1', 0);
    story.start(turn);
    story.report(turn, 'returned', { running: digestOf(7) });
    return rulesBroken(story);
  };
  expect(start(10_000)).toEqual(['I5']);
  expect(start(0)).toEqual([]);
});

test('I5: a node that stays on a halted release breaks it, one that is gone does not', () => {
  const stay = (end: LogEnd) => {
    const story = new LogStory();
    story.order(8);
    story.update('n1', 0);
    story.halt(8);
    return rulesBroken(story, end);
  };
  expect(stay({})).toEqual(['I5']);
  expect(stay({ gone: new Set<NodeId>(['n1']) })).toEqual([]);
  expect(stay({ atRest: false })).toEqual([]);
});

test('I5: a scope says its halt in the waves of its regions, and holds nobody of another region to it', () => {
  const stay = (region: string) => {
    const story = new LogStory();
    story.order(8);
    story.update('n1', 0);
    const halt = { service: 'web', rollout: 8, digest: digestOf(8), version: 'v8', reason: 'bad' };
    story.order(8, { region, phase: 'halted', scope: 'europe', halt });
    return rulesBroken(story);
  };
  expect(stay(REGION)).toEqual(['I5']);
  expect(stay('elsewhere')).toEqual([]);
});

test('I5: a start by a wave that came after the halt in another wave breaks it', () => {
  const story = new LogStory();
  story.order(7, { phase: 'settled' });
  story.order(8, { scope: 'europe' });
  const halt = { service: 'web', rollout: 8, digest: digestOf(8), version: 'v8', reason: 'bad' };
  story.order(8, { phase: 'halted', scope: 'europe', halt });
  story.order(8, { scope: 'europe', halt });
  const turn = story.claim('n1', 0);
  story.start(turn);
  story.report(turn, 'returned', { running: digestOf(7) });
  expect(rulesBroken(story)).toEqual(['I5']);
});

test('I13: what one scope rejects another may order, and it itself may not', () => {
  const ordered = (scope: string | undefined) => {
    const story = new LogStory();
    story.tell('release-rejected', { rollout: 8, scope: 'europe' });
    story.order(8, scope === undefined ? {} : { scope });
    return rulesBroken(story);
  };
  expect([undefined, 'america', 'europe'].map(ordered)).toEqual([[], [], ['I13']]);
});

test('I5: a node that may stay breaks nothing, until a newer word takes it back; nor may one in the middle stay there', () => {
  const stay = (how: (story: LogStory) => void) => {
    const story = new LogStory();
    story.order(8);
    story.update('n1', 0);
    story.halt(8, { stay: true });
    how(story);
    return rulesBroken(story);
  };
  expect(stay(() => {})).toEqual([]);
  expect(stay((story) => story.halt(8))).toEqual(['I5']);
  const started = (story: LogStory) => {
    story.order(8);
    story.update('n2', 0);
  };
  expect(stay(started)).toEqual(['I5']);
  const middle = new LogStory();
  middle.order(8);
  middle.start(middle.claim('n1', 0));
  middle.halt(8, { stay: true });
  expect(rulesBroken(middle)).toContain('I5');
});

test('I5: a node that could not go back, or has gone on to another rollout, has left', () => {
  const leave = (how: (story: LogStory) => void) => {
    const story = new LogStory();
    story.order(8);
    story.update('n1', 0);
    story.halt(8);
    how(story);
    return rulesBroken(story);
  };
  const kept = (story: LogStory) => story.report({ node: 'n1', rollout: 8, attempt: 'b' }, 'kept');
  expect(leave(kept)).toEqual([]);
  const onward = (story: LogStory) => {
    story.order(9);
    story.update('n1', 0);
  };
  expect(leave(onward)).toEqual([]);
  expect(leave((story) => story.liftHalt())).toEqual([]);
});

test('I6: an order that is stored under an older revision breaks it', () => {
  const story = new LogStory();
  story.order(7, { cursor: 0.5 });
  const { wave } = story;
  story.order(7, { cursor: 0.6 });
  if (wave !== undefined)
    story.write({ kind: 'wave', revision: wave.revision, wave: { ...wave.wave, cursor: 0.7 } });
  expect(checkLog(story.entries)).toEqual([
    { rule: 'I6', sequence: 3, message: 'the wave of web in eu was stored as revision 1 after revision 2' },
  ]);
});

test('I6: a node that goes by an older wave than before breaks it', () => {
  const story = new LogStory();
  story.order(7);
  story.order(7, { slots: 3 });
  const first = story.claim('n1', 0);
  story.start(first);
  story.report(first, 'interrupted');
  story.free(first);
  const second = story.claim('n1', 0);
  story.start(second, { warrant: { waveRevision: 1, slot: 0, fence: second.fence, pulseAgeMs: 0 } });
  finish(story, second);
  expect(checkLog(story.entries, { toleranceMs: 10_000 })).toEqual([
    { rule: 'I6', sequence: 8, message: 'n1 (web in eu) obeyed wave 1 after wave 2' },
  ]);
});

test('I7: a slot taken from its holder breaks it, however late the holder is', () => {
  const story = new LogStory();
  story.order(7);
  const first = story.claim('n1', 0);
  story.pass(10 * LEASE_MS);
  const second = story.claim('n2', 0);
  expect(checkLog(story.entries)).toEqual([
    {
      rule: 'I7',
      sequence: 3,
      message: 'n2 took slot 0 of web in eu at revision 2 from n1, who held it by revision 1',
    },
  ]);
  expect(second.fence).toBeGreaterThan(first.fence);
});

test('I7: a lost slot that is cleared without a word breaks it', () => {
  const clear = (how: (story: LogStory, fence: number) => void) => {
    const story = new LogStory();
    story.order(7);
    const turn = story.claim('n1', 0);
    story.start(turn);
    story.pass(2 * LEASE_MS);
    how(story, turn.fence);
    story.free(turn);
    return rulesBroken(story, { gone: new Set(['n1']) });
  };
  expect(clear(() => {})).toEqual(['I7']);
  expect(
    clear((story, revision) => story.tell('slot-cleared', { region: REGION, node: 'n1', slot: 0, revision })),
  ).toEqual([]);
});

test('I7: a holder that comes back late may still give up what nobody cleared', () => {
  const story = new LogStory();
  story.order(7);
  const turn = story.claim('n1', 0);
  story.start(turn);
  story.pass(10 * LEASE_MS);
  story.renew(turn);
  story.pass(10 * LEASE_MS);
  finish(story, turn);
  story.free(turn);
  expect(checkLog(story.entries)).toEqual([]);
});

test('I7: a slot declared lost before its lease ran out breaks it', () => {
  const declare = (afterMs: number) => {
    const story = new LogStory();
    story.order(7);
    const turn = story.claim('n1', 0);
    story.start(turn);
    story.pass(afterMs).tell('slot-lost', { region: REGION, node: 'n1', slot: 0, revision: turn.fence });
    finish(story, turn);
    return rulesBroken(story);
  };
  expect(declare(LEASE_MS / 2)).toEqual(['I7']);
  expect(declare(LEASE_MS)).toEqual([]);
});

test('I8: an attempt with two results breaks it', () => {
  const story = goodRollout();
  const turn = story.claim('n5', 0);
  story.start(turn);
  finish(story, turn);
  story.report(turn, 'interrupted');
  const violations = checkLog(story.entries);
  expect(violations.map(({ rule }) => rule)).toEqual(['I8']);
  expect(violations[0]?.message).toBe(
    `n5 (web in eu) says interrupted of attempt ${turn.attempt}, which had ended as healthy`,
  );
});

test('I8: an attempt that is stuck after its result breaks it', () => {
  const story = goodRollout();
  const turn = story.claim('n5', 0);
  story.start(turn);
  story.report(turn, 'stuck');
  finish(story, turn);
  expect(checkLog(story.entries)).toEqual([]);
  story.report(turn, 'stuck', { id: 'said-late' });
  expect(checkLog(story.entries).map(({ rule }) => rule)).toEqual(['I8']);
});

test('I8: an attempt without a result breaks it, unless its node is gone or the log is not over', () => {
  const { story, second } = twoOut();
  finish(story, second);
  expect(checkLog(story.entries)).toEqual([
    { rule: 'I8', sequence: 4, message: 'n1 (web in eu) never said how attempt a1 at rollout 7 ended' },
  ]);
  expect(checkLog(story.entries, { gone: new Set(['n1']) })).toEqual([]);
  expect(checkLog(story.entries, { atRest: false })).toEqual([]);
});

test.each([
  ['healthy', 6, 'healthy of rollout 7'],
  ['healthy', undefined, 'runs an image without a digest'],
  ['failed', 7, 'failed of rollout 7 and still runs'],
  ['returned', 7, 'returned of rollout 7 and still runs'],
] as const)('I9: %s with the image of rollout %s breaks it', (result, image, says) => {
  const story = new LogStory();
  story.order(7);
  const turn = story.claim('n1', 0);
  story.start(turn);
  story.report(turn, result, image === undefined ? {} : { running: digestOf(image) });
  const violations = checkLog(story.entries);
  expect(violations.map(({ rule }) => rule)).toEqual(['I9']);
  expect(violations[0]?.message).toContain(says);
});

test('I13: a rejected release that a wave orders breaks it, whichever is seen first', () => {
  const before = new LogStory();
  before.tell('release-rejected', { rollout: 9, problems: ['image: no such tag'] });
  before.order(9);
  expect(checkLog(before.entries)).toEqual([
    { rule: 'I13', sequence: 2, message: 'wave 1 of web in eu orders rollout 9, which was rejected' },
  ]);
  const after = new LogStory();
  after.order(9);
  after.tell('release-rejected', { rollout: 9 });
  expect(rulesBroken(after)).toEqual(['I13']);
});

test('a violation is told as soon as its evidence has had time to come', () => {
  const story = new LogStory();
  story.order(7, { phase: 'paused' });
  story.update('n1', 0);
  const checker = createChecker();
  for (const entry of story.entries) expect(checker.check(entry)).toEqual([]);
  const later: LogEntry = {
    sequence: 99,
    atMs: story.nowMs + 60_000,
    kind: 'release',
    service: 'web',
    rollout: 9,
  };
  expect(checker.check(later).map(({ rule }) => rule)).toEqual(['I2']);
  expect(checker.finish()).toEqual([]);
});

test('services and regions are judged each for itself', () => {
  const { story, first, second } = twoOut();
  finish(story, first, second);
  const elsewhere = story.entries.map((entry): LogEntry => {
    if (entry.kind === 'wave') return { ...entry, wave: { ...entry.wave, region: 'us' } };
    if (entry.kind === 'slot') return { ...entry, region: 'us' };
    if (entry.kind === 'report') return { ...entry, report: { ...entry.report, region: 'us' } };
    return entry;
  });
  expect(checkLog([...story.entries, ...elsewhere])).toEqual([]);
});

/** How often each rule was judged, those that never were left out. */
function judgedIn(story: LogStory) {
  const checker = createChecker();
  for (const entry of story.entries) checker.check(entry);
  checker.finish();
  return Object.fromEntries(Object.entries(checker.judged).filter(([, times]) => times > 0));
}

test('a rule counts as judged only where something could have contradicted it', () => {
  const story = new LogStory();
  story.order(7);
  expect(judgedIn(story)).toEqual({ I13: 1 });
  story.update('n1', 0);
  // Its start (I1, I2), the deletion of its slot (I7), its start, its result and its end (I8), its image (I9).
  expect(judgedIn(story)).toEqual({ I1: 1, I2: 1, I7: 1, I8: 3, I9: 1, I13: 1 });
  story.order(7);
  expect(judgedIn(story)).toMatchObject({ I4: 1, I6: 1 });
  expect(judgedIn(story)).not.toHaveProperty('I5');
  expect(Object.keys(judgedIn(haltedRollout()))).toEqual([...RULE_IDS]);
});
