import { FIRST } from '@swell/shared/domain/rank.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const MANUAL = { ...QUICK, approval: 'manual', soakMs: 300_000 } as const;

function refusals(story: RolloutStory): readonly (readonly string[] | undefined)[] {
  return story.told('control-rejected').map(({ problems }) => problems);
}

/** A story of twenty nodes that has come to a phase. */
function inPhase(
  phase: 'staging' | 'rolling' | 'soaking' | 'gated' | 'settled' | 'halting' | 'rested' | 'aborted',
) {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 20 } });
  story.publish('v1');
  if (phase === 'staging') return story;
  if (phase === 'settled') {
    story.policy({ ...QUICK });
    story.act();
    return story;
  }
  story.act(() => story.rollout.phase.name === 'rolling');
  if (phase === 'rolling') return story;
  story.act();
  if (phase === 'gated') story.pass(300_000);
  if (phase === 'aborted') story.control('abort');
  if (phase === 'halting' || phase === 'rested') story.control('halt');
  if (phase === 'rested') story.act();
  return story;
}

const PHASES = ['staging', 'rolling', 'soaking', 'gated', 'settled', 'halting', 'rested', 'aborted'] as const;

test.each(PHASES)('a story of a rollout that is %s begins there', (phase) => {
  expect(inPhase(phase).rollout.phase.name).toBe(phase);
});

test.each(['staging', 'rolling', 'soaking', 'gated'] as const)(
  'pause and resume in %s leave everything where it was',
  (phase) => {
    const story = inPhase(phase);
    const before = story.rollout;
    story.control('pause', { reason: 'lunch' });
    expect(story.wave('eu').phase).toBe('paused');
    expect(story.wave('eu').cursor).toBe(before.regions['eu']?.cursor);
    story.control('pause');
    story.pass(3_600_000);
    expect(story.rollout).toEqual({ ...before, paused: { sinceMs: expect.any(Number), reason: 'lunch' } });
    story.control('resume');
    story.control('resume');
    const after = story.rollout;
    // An hour's rest is no hour of watching.
    const phaseAfter =
      before.phase.name === 'soaking'
        ? { ...before.phase, sinceMs: before.phase.sinceMs + 3_600_000 }
        : before.phase;
    expect(after).toEqual({ ...before, phase: phaseAfter });
    expect(refusals(story)).toEqual([]);
    story.act();
    if (story.rollout.phase.name === 'soaking') story.pass(300_000);
    expect(story.phase).toBe('gated');
  },
);

test.each(['settled', 'halting', 'rested', 'aborted'] as const)(
  'there is nothing to pause, resume, approve or abort in one that is %s',
  (phase) => {
    const story = inPhase(phase);
    const { rollout } = story;
    for (const action of ['pause', 'resume', 'approve'] as const) story.control(action);
    if (phase !== 'aborted') story.control('abort');
    const is = `rollout ${rollout.release.rollout} is ${phase}`;
    const expected = [
      [`there is nothing to pause: ${is}`],
      [`there is nothing to resume: ${is}`],
      [`nothing waits for approval: ${is}`],
      [`there is nothing to abort: ${is}`],
    ];
    expect(refusals(story)).toEqual(phase === 'aborted' ? expected.slice(0, 3) : expected);
    expect(story.rollout).toEqual(rollout);
  },
);

test.each(['staging', 'rolling', 'soaking', 'gated'] as const)(
  'one that is %s can be aborted: nobody starts, everybody stays',
  (phase) => {
    const story = inPhase(phase);
    const running = [...story.nodes.values()].map((node) => node.running);
    story.control('abort', { reason: 'wrong day' });
    expect(story.wave('eu')).toMatchObject({ phase: 'aborted', cursor: FIRST, stageBelow: FIRST });
    story.act();
    const after = [...story.nodes.values()].map((node) => node.running);
    // Who was in the middle of it has ended it.
    expect(after.filter((digest, index) => digest !== running[index]).length).toBeLessThanOrEqual(2);
    expect([story.phase, story.halt.order]).toEqual(['aborted', undefined]);
  },
);

test.each(['staging', 'rolling', 'soaking', 'gated', 'settled', 'aborted'] as const)(
  'one that is %s can be halted: every node goes back',
  (phase) => {
    const story = inPhase(phase);
    story.control('halt', { reason: 'leaks memory' });
    story.act();
    expect(story.rollout.phase).toEqual({ name: 'rested', reason: 'leaks memory' });
    expect(new Set([...story.nodes.values()].map(({ running }) => running))).toEqual(
      new Set([digestOf('v0')]),
    );
    expect(story.told('rollout-rested').length).toBe(1);
  },
);

test('a paused rollout can be halted and aborted', () => {
  for (const action of ['halt', 'abort'] as const) {
    const story = inPhase('rolling');
    story.control('pause');
    story.control(action);
    expect(story.rollout.paused).toBeUndefined();
    expect(story.wave('eu').phase).toBe(action === 'halt' ? 'halted' : 'aborted');
  }
});

test('the same word given twice is done once', () => {
  const story = inPhase('gated');
  story.control('approve');
  const { percent } = story.rollout;
  story.control('approve');
  expect([story.rollout.percent, refusals(story)]).toEqual([
    percent,
    [['nothing waits for approval: rollout 22 is staging']].map(() => [
      `nothing waits for approval: rollout ${story.rollout.release.rollout} is staging`,
    ]),
  ]);
});

test('a word that is read again by a new leader is the same word', () => {
  const story = inPhase('gated');
  const control = { ok: true, value: { action: 'approve' } } as const;
  const at = { sequence: story.state.record.controlsTaken.sequence + 1_000, storedAtMs: story.nowMs };
  story.post({ kind: 'control-given', at, control });
  story.act();
  story.pass(300_000);
  const { rollout } = story;
  expect(rollout.phase.name).toBe('gated');
  story.restart();
  story.post({ kind: 'control-given', at, control });
  expect(story.rollout).toEqual(rollout);
});

test('a word is obeyed though its stream was put back and gives out its sequences once more', () => {
  const story = inPhase('gated');
  const control = { ok: true, value: { action: 'approve' } } as const;
  story.control('resume');
  const { sequence } = story.state.record.controlsTaken;
  story.pass(60_000);
  story.post({ kind: 'control-given', at: { sequence: 1, storedAtMs: story.nowMs }, control });
  expect(story.phase).not.toBe('gated');
  story.post({ kind: 'control-given', at: { sequence: 1, storedAtMs: story.nowMs }, control });
  expect(sequence).toBeGreaterThan(1);
  expect(story.told('control-applied').length).toBe(2);
});

test('a word for another rollout than the present one is refused', () => {
  const story = inPhase('rolling');
  const number = story.rollout.release.rollout;
  for (const action of ['pause', 'halt', 'abort', 'approve', 'resume'] as const)
    story.control(action, { rollout: number - 1 });
  expect(refusals(story)).toEqual(
    Array.from({ length: 5 }, () => [`rollout: the present rollout is ${number}, not ${number - 1}`]),
  );
  expect(story.phase).toBe('rolling');
});

test('a word that does not parse changes nothing, and is told', () => {
  const story = inPhase('rolling');
  const { record } = story.state;
  const at = { sequence: record.controlsTaken.sequence + 1_000, storedAtMs: story.nowMs };
  story.post({
    kind: 'control-given',
    at,
    control: { ok: false, problems: ['action: must be one of …'] },
  });
  expect(story.state.record).toEqual({
    ...record,
    controlsTaken: at,
    eventsTold: record.eventsTold + 1,
  });
  expect(refusals(story)).toEqual([['action: must be one of …']]);
});

test('without a rollout there is nothing to say anything to', () => {
  const story = new RolloutStory();
  story.control('halt');
  expect(refusals(story)).toEqual([['there is no rollout yet']]);
});

test('abort means a release that has not begun as well, and only the one that it names', () => {
  const waiting = () => {
    const story = inPhase('rolling');
    story.images.set('v2', { reason: 'no answer', retrying: true });
    return { story, first: story.rollout.release.rollout, second: story.publish('v2') };
  };
  const both = waiting();
  both.story.control('abort');
  expect(both.story.told('rollout-aborted').map(({ rollout }) => rollout)).toEqual([both.second, both.first]);
  expect([both.story.phase, both.story.state.record.candidate]).toEqual(['aborted', undefined]);

  const second = waiting();
  second.story.control('abort', { rollout: second.second });
  expect([second.story.phase, second.story.state.record.candidate]).toEqual(['rolling', undefined]);

  const first = waiting();
  first.story.control('abort', { rollout: first.first });
  expect([first.story.phase, first.story.state.record.candidate?.rollout]).toEqual(['aborted', first.second]);
});

test('before the first rollout has begun the refusal of a word says what stops it', () => {
  const story = new RolloutStory();
  story.images.set('v1', { reason: 'no answer', retrying: true });
  const release = story.publish('v1');
  story.control('halt');
  expect(refusals(story)).toEqual([
    [`there is no rollout yet: release ${release} has not begun, and "abort" drops it`],
  ]);
});

test('halt means what the fleet is on; a release that has not begun has to be named', () => {
  const story = inPhase('rolling');
  const first = story.rollout.release.rollout;
  story.images.set('v2', { reason: 'no answer', retrying: true });
  const second = story.publish('v2');
  story.control('halt', { rollout: second });
  expect([story.phase, story.state.record.candidate]).toEqual(['rolling', undefined]);
  const third = story.publish('v2');
  story.control('halt', { rollout: first });
  expect([story.phase, story.state.record.candidate?.rollout]).toEqual(['rested', third]);
});

test('a gate whose later stages the policy has lost leads to the end of the line, not past it', () => {
  const story = inPhase('gated');
  story.policy({ ...MANUAL, stagesPercent: [100] });
  story.act();
  expect([story.phase, story.rollout.percent]).toEqual(['gated', 10]);
  story.control('approve');
  story.act();
  story.pass(300_000);
  expect([story.phase, story.rollout.percent]).toEqual(['settled', 100]);
  expect(new Set([...story.nodes.values()].map(({ running }) => running))).toEqual(new Set([digestOf('v1')]));
});

test('a gate opens by itself once the policy asks for no approval any more', () => {
  const story = inPhase('gated');
  story.policy(QUICK);
  story.act();
  expect(story.phase).toBe('settled');
});
