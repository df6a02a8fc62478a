/** B16. "Would this policy have stopped release X?" */

import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { emptyRecord } from '@swell/shared/domain/rollout.ts';
import { describe, expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import { policyUnder } from '../state.ts';
import { replayAnswer } from './answer.ts';
import { type RecordedNode, Recorder, type Recording, type ReplayEnd, type Taken } from './recording.ts';
import { replay } from './replay.ts';

const DAY_MS = 86_400_000;
const BEGUN_MS = Date.UTC(2026, 0, 5, 12);
const WELL: Taken = { is: 'healthy', afterMs: 30_000 };
const BAD: Taken = { is: 'failed', afterMs: 20_000, reason: 'it crashed' };
const POLICY: PolicyLayer = { ...QUICK, stagingSpreadMs: 0, stagesPercent: [50, 100] };
/** Any failure is one too many. */
const STRICT: PolicyLayer = { ...POLICY, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } };
const LAX: PolicyLayer = { ...POLICY, failureBudget: { max: { kind: 'count', count: 9 }, minSample: 1 } };

function recording(taken: readonly Taken[], change: Partial<Recording> = {}): Recording {
  const nodes = taken.map((one, index): RecordedNode => {
    const node = `n${index}`;
    return { region: 'eu', node, labels: [], running: digestOf('v0'), taken: one };
  });
  return {
    at: { sequence: 7, storedAtMs: BEGUN_MS },
    intent: { image: { repository: 'r.example/web', tag: 'v1' }, overrides: {}, acceptHalted: false },
    digest: digestOf('v1'),
    before: emptyRecord('web'),
    nodes,
    as: { outcome: 'settled', atMs: BEGUN_MS + 60_000, updated: 9, failed: 1 },
    ...change,
  };
}

function live(of: Recording, layer: PolicyLayer): ReplayEnd {
  const life = replay(of, layer);
  for (;;) {
    const next = life.next();
    if (next.done === true) return next.value;
  }
}

const tenOf = (...taken: readonly Taken[]): readonly Taken[] =>
  Array.from({ length: 10 }, (_, index) => taken[index] ?? WELL);

describe('B16: a release that went through is stopped by a stricter policy, and the other way round', () => {
  test('one of ten failed: a lax policy settles, a strict one halts at that one', () => {
    const one = recording(tenOf(BAD));
    expect(live(one, LAX)).toMatchObject({ outcome: 'settled', updated: 9, failed: 1 });
    expect(live(one, STRICT)).toMatchObject({
      outcome: 'halted',
      failed: 1,
      reason: expect.stringMatching(/^1 of \d+ nodes failed$/),
    });
  });

  test('time passes as it did: ten nodes of 30 s in two slots, and a soak after each stage', () => {
    const end = live(recording(tenOf()), { ...POLICY, soakMs: 600_000 });
    // Five nodes in two slots are three turns; twice.
    expect([end.outcome, end.atMs - BEGUN_MS]).toEqual(['settled', 2 * (90_000 + 600_000)]);
  });

  test('a lost node counts as failed once its lease is over, and holds its slot until then', () => {
    expect(live(recording(tenOf({ is: 'lost' })), LAX)).toMatchObject({
      outcome: 'settled',
      updated: 9,
      failed: 1,
    });
    expect(live(recording(tenOf({ is: 'lost' })), STRICT)).toMatchObject({ outcome: 'halted', failed: 1 });
  });

  test('who refused, or never had the image, is not waited for', () => {
    const refused: Taken = { is: 'refused', reason: 'pinned' };
    const sick: Taken = { is: 'stage-failed', reason: 'disk full' };
    expect(live(recording(tenOf(refused, sick)), { ...STRICT, stagingQuorumPercent: 50 })).toMatchObject({
      outcome: 'settled',
      updated: 8,
      failed: 0,
    });
  });

  test('where nothing is recorded, nodes are well in the time of those in the middle', () => {
    const unrecorded = tenOf().map((one, index): Taken => (index < 5 ? one : { is: 'unrecorded' }));
    expect(live(recording(unrecorded), POLICY)).toEqual(live(recording(tenOf()), POLICY));
  });
});

describe('B16: all of a policy is lived', () => {
  test('a cool-down and windows hold in the time of then', () => {
    const night = {
      windows: [
        {
          text: '22:00-24:00',
          days: [0, 1, 2, 3, 4, 5, 6],
          fromMinute: 1_320,
          toMinute: 1_440,
          timeZone: 'UTC',
        },
      ],
      except: [],
    };
    const end = live(recording(tenOf()), { ...POLICY, coolDownMs: DAY_MS, windows: { eu: night } });
    expect(end.outcome).toBe('settled');
    expect(new Date(end.atMs).toISOString().slice(0, 13)).toBe('2026-01-06T22');
  });

  test('who is held by it does not follow; approvals are given at once', () => {
    const of = recording(tenOf());
    const nodes = of.nodes.map((one, index) => (index === 0 ? { ...one, labels: ['lab'] } : one));
    const held = {
      ...POLICY,
      approval: 'manual',
      hold: [{ label: 'lab', reason: 'it is measured' }],
    } as const;
    expect(live({ ...of, nodes }, held)).toMatchObject({ outcome: 'settled', updated: 9, failed: 0 });
  });

  test('what the release brought along holds over it, and one that it would have refused is rejected', () => {
    const of = recording(tenOf(BAD));
    const overrides = { failureBudget: { max: { kind: 'count', count: 9 }, minSample: 1 } } as const;
    expect(live({ ...of, intent: { ...of.intent, overrides } }, STRICT).outcome).toBe('settled');
    expect(live(of, { ...POLICY, progressDeadlineMs: 60_000 })).toMatchObject({
      outcome: 'rejected',
      reason: expect.stringMatching(/progressDeadline/),
    });
  });

  test('of other services nothing is known then: neither those of its policy nor those of its train are waited for', () => {
    const of = recording(tenOf());
    const intent = { ...of.intent, train: '2026-01', trainOf: ['db', 'web'] };
    const policy = { ...POLICY, dependsOn: [{ service: 'db', per: 'fleet' }] } as const;
    expect(live({ ...of, intent }, policy)).toEqual(live(of, POLICY));
  });

  test('where nobody gets further it pauses', () => {
    const refusing = tenOf().map((): Taken => ({ is: 'stage-failed', reason: 'disk full' }));
    expect(live(recording(refusing), POLICY)).toMatchObject({ outcome: 'paused', updated: 0 });
  });

  test('what never ends is given up after a month', () => {
    const end = live(recording(tenOf(WELL).slice(0, 1)), { ...POLICY, coolDownMs: 60 * DAY_MS });
    expect([end.outcome, Math.floor((end.atMs - BEGUN_MS) / DAY_MS)]).toEqual(['under way', 30]);
  });

  test('the same twice is the same', () => {
    const of = recording(tenOf(BAD, WELL, { is: 'lost' }, { is: 'unrecorded' }));
    expect(live(of, LAX)).toEqual(live(of, LAX));
  });
});

test('B16: what is recorded of a story is what happened in it, and by its own policy it happens again', () => {
  const policy = { ...STRICT, stagesPercent: [50, 100] };
  const story = new RolloutStory({ policy });
  const before = story.state.record;
  const number = story.publish('v1');
  const recorder = new Recorder(number);
  let heard = 0;
  let told = 0;
  story.behave('fails', story.line('eu')[3]?.node ?? '');
  story.act(() => {
    for (const { report, sequence, atMs } of [...story.reports.values()].sort(
      (a, b) => a.sequence - b.sequence,
    )) {
      if (sequence <= heard) continue;
      heard = sequence;
      recorder.hear({ kind: 'report', report, sequence, atMs });
    }
    for (const event of story.events.slice(told))
      recorder.hear({ kind: 'event', event, sequence: 0, atMs: story.nowMs });
    told = story.events.length;
    return story.phase === 'rested';
  });
  expect(recorder.end).toMatchObject({ outcome: 'halted', failed: 1 });
  const nodes = recorder.nodes([...story.nodes.values()]);
  expect(nodes).toHaveLength(10);
  const of: Recording = {
    at: { sequence: number, storedAtMs: BEGUN_MS },
    intent: { image: { repository: 'registry.example/web', tag: 'v1' }, overrides: {}, acceptHalted: false },
    digest: digestOf('v1'),
    before,
    nodes,
    as: recorder.end,
  };
  const again = live(of, policy);
  expect(again).toMatchObject({
    outcome: 'halted',
    failed: 1,
    reason: expect.stringMatching(/^1 of \d nodes failed$/),
  });
  const answer = replayAnswer(of, live(of, LAX), policyUnder(before, {}));
  expect(answer).toMatchObject({
    service: 'web',
    rollout: number,
    as: { outcome: 'halted', failed: 1 },
    would: { outcome: 'settled', updated: 9, failed: 1 },
    nodes: { all: 10 },
    line: expect.stringMatching(
      /^rollout \d+ of web was halted at \S+ with \d nodes updated and 1 failed; by this policy it would have settled at \S+ with 9 nodes updated and 1 failed$/,
    ),
  });
  expect(answer.assumed[0]).toMatch(
    /^\d nodes of which the log does not tell how they took the release: each is well after /,
  );
});

test('B16: the log may have the last word of a node behind the end that it led to; what comes later is of later', () => {
  const recorder = new Recorder(7);
  const report = { id: '1', region: 'eu', node: 'n1', service: 'web', rollout: 7, attempt: '1' } as const;
  const event = {
    id: 'e',
    name: 'rollout-settled',
    service: 'web',
    rollout: 7,
    line: 'it has settled',
  } as const;
  recorder.hear({ kind: 'report', report: { ...report, status: 'updating' }, sequence: 1, atMs: 1_000 });
  recorder.hear({ kind: 'event', event, sequence: 2, atMs: 9_000 });
  recorder.hear({ kind: 'report', report: { ...report, status: 'healthy' }, sequence: 3, atMs: 9_010 });
  const late = { ...report, node: 'n2', status: 'healthy' } as const;
  recorder.hear({ kind: 'report', report: late, sequence: 4, atMs: 60_000 });
  const halted = { ...event, name: 'rollout-halted', line: 'it is halted' } as const;
  recorder.hear({ kind: 'event', event: halted, sequence: 5, atMs: 61_000 });
  expect(recorder.end).toEqual({ outcome: 'settled', atMs: 9_000, updated: 1, failed: 0 });
  expect(recorder.nodes([])).toEqual([
    { region: 'eu', node: 'n1', labels: [], running: undefined, taken: { is: 'healthy', afterMs: 8_010 } },
  ]);
});
