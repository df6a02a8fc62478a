import type { SafeRate } from '@swell/shared/domain/pace.ts';
import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { FIRST, rankOf } from '@swell/shared/domain/rank.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import { moveCursor } from '../admission/admission.ts';
import { countBelow, presentNodes } from '../nodes/line.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function paced(safeRate: SafeRate, change: PolicyLayer = {}): PolicyLayer {
  const maxUnavailable = { kind: 'count', count: 1_000 } as const;
  return { ...QUICK, stagesPercent: [100], maxUnavailable, safeRate, ...change };
}

/** Time passes as a leader and nodes live it: looks every ten seconds, and everybody does what is his to do. */
function live(story: RolloutStory, ms: number, stepMs = 10_000): void {
  for (let left = ms; left > 0; left -= stepMs) {
    story.tick(Math.min(stepMs, left));
    if (story.nowMs % MINUTE_MS < stepMs) story.seeAll();
    while (story.actOnce());
  }
}

function admitted(story: RolloutStory, region = 'eu'): number {
  const nodes = presentNodes(story.state.census, region, story.nowMs);
  return countBelow({ nodes }, story.rollout.regions[region]?.cursor ?? FIRST);
}

/** A rollout that has just opened its first stage. */
function opened(policy: PolicyLayer, nodes = 100): RolloutStory {
  const story = new RolloutStory({ policy, regions: { eu: nodes } });
  story.publish('v1');
  story.act(() => story.rollout.phase.name === 'rolling');
  return story;
}

function on(story: RolloutStory): number {
  return [...story.nodes.values()].filter(({ running }) => running === digestOf('v1')).length;
}

test('P4: at 5 % in six hours a stage of a hundred takes in one node every 72 minutes', () => {
  const story = opened(paced({ percent: 5, perMs: 6 * HOUR_MS }));
  const counts = Array.from({ length: 12 }, () => {
    live(story, 30 * MINUTE_MS, 30_000);
    return on(story);
  });
  expect(counts).toEqual([0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5]);
});

test('P4: of three nodes each is let through after a third of the time, and then the rollout settles', () => {
  const story = opened(paced({ percent: 100, perMs: 30 * MINUTE_MS }), 3);
  const counts = Array.from({ length: 6 }, () => {
    live(story, 5 * MINUTE_MS);
    return on(story);
  });
  expect([counts, story.phase]).toEqual([[0, 1, 1, 2, 2, 3], 'settled']);
});

test('P4: each region moves along its own line', () => {
  const story = new RolloutStory({
    policy: paced({ percent: 50, perMs: HOUR_MS }),
    regions: { eu: 20, us: 4 },
  });
  story.publish('v1');
  story.act(() => story.rollout.phase.name === 'rolling');
  live(story, 30 * MINUTE_MS);
  expect([admitted(story, 'eu'), admitted(story, 'us')]).toEqual([5, 1]);
});

test('P4: the next stage goes on from where the one before stood', () => {
  const story = opened(paced({ percent: 20, perMs: HOUR_MS }, { stagesPercent: [10, 100] }), 20);
  live(story, 30 * MINUTE_MS);
  expect([admitted(story), story.rollout.percent]).toEqual([2, 100]);
  live(story, 30 * MINUTE_MS);
  expect(admitted(story)).toBe(4);
});

test('P4: a stage that slow nodes kept behind its line gives the next one no lead', () => {
  const change = { stagesPercent: [10, 100], slotLeaseMs: 86_400_000 };
  const story = opened(paced({ percent: 20, perMs: HOUR_MS }, change), 20);
  live(story, 29 * MINUTE_MS);
  story.behave('hangs');
  live(story, 15 * MINUTE_MS);
  story.behave('well');
  live(story, 2 * MINUTE_MS);
  expect([admitted(story), story.rollout.percent]).toEqual([2, 100]);
  live(story, 14 * MINUTE_MS);
  expect(admitted(story)).toBe(3);
});

test('P4: a time that was paused does not count', () => {
  const story = opened(paced({ percent: 10, perMs: HOUR_MS }));
  live(story, 30 * MINUTE_MS);
  expect(admitted(story)).toBe(5);
  story.control('pause');
  live(story, 5 * HOUR_MS, 30_000);
  expect(admitted(story)).toBe(5);
  story.control('resume');
  live(story, 6 * MINUTE_MS);
  expect(admitted(story)).toBe(6);
});

test('P4, P6: a time without a leader does not count, and a take-over loses less than ten seconds', () => {
  const story = opened(paced({ percent: 10, perMs: HOUR_MS }));
  live(story, 30 * MINUTE_MS);
  expect(admitted(story)).toBe(5);
  story.nowMs += 20 * HOUR_MS;
  story.restart('forgotten');
  expect(admitted(story)).toBe(5);
  live(story, 5 * MINUTE_MS);
  expect(admitted(story)).toBe(5);
  live(story, MINUTE_MS + 10_000);
  expect(admitted(story)).toBe(6);
});

test('P4: a leader that was asleep for longer than its orders stand has led nobody meanwhile', () => {
  const story = opened(paced({ percent: 100, perMs: HOUR_MS }));
  story.nowMs += 50 * MINUTE_MS;
  story.seeAll();
  live(story, 30_000);
  expect(admitted(story)).toBe(0);
});

test('P4: waiting for time is no standstill, but a node that does not come through is', () => {
  const story = opened(paced({ percent: 10, perMs: 24 * HOUR_MS }, { slotLeaseMs: 86_400_000 }), 10);
  live(story, 23 * HOUR_MS, 30_000);
  expect([story.phase, admitted(story)]).toEqual(['rolling', 0]);
  story.behave('hangs');
  live(story, HOUR_MS);
  expect([story.phase, admitted(story)]).toEqual(['rolling', 1]);
  live(story, 16 * MINUTE_MS);
  expect(story.rollout.paused?.reason).toMatch(
    /^no further node is healthy for 15m: it waits for eu-\d+ \(eu\)$/,
  );
});

test('P4: who is away while the rate holds the line is not waved through when he comes back', () => {
  const story = opened(paced({ percent: 50, perMs: HOUR_MS }), 10);
  live(story, 12 * MINUTE_MS);
  expect(admitted(story)).toBe(1);
  const away = story
    .line('eu')
    .slice(1)
    .map(({ node }) => node);
  story.leave(...away.slice(0, 8));
  live(story, MINUTE_MS);
  story.comeBack(...away);
  expect(admitted(story)).toBe(1);
});

test('P7: a policy with another rate goes on from where the cursor stands', () => {
  const story = opened(paced({ percent: 10, perMs: HOUR_MS }));
  live(story, 30 * MINUTE_MS);
  story.policy(paced({ percent: 100, perMs: HOUR_MS }));
  expect(admitted(story)).toBe(5);
  live(story, 3 * MINUTE_MS);
  expect(admitted(story)).toBe(10);
  story.policy(paced({ percent: 1, perMs: HOUR_MS }));
  live(story, 59 * MINUTE_MS);
  expect(admitted(story)).toBe(10);
  live(story, MINUTE_MS);
  expect(admitted(story)).toBe(11);
});

test('P7: a policy that says the same of the rate changes nothing of the pace', () => {
  const story = opened(paced({ percent: 10, perMs: HOUR_MS }));
  live(story, 9 * MINUTE_MS);
  story.policy(paced({ percent: 10, perMs: HOUR_MS }, { soakMs: 1 }));
  live(story, 3 * MINUTE_MS);
  expect(admitted(story)).toBe(2);
});

test('P3: stages that double open by themselves, each at its pace, without a person', () => {
  const rate = { percent: 50, perMs: HOUR_MS };
  const story = opened(paced(rate, { stagesPercent: [6.25, 12.5, 25, 50, 100], soakMs: MINUTE_MS }), 32);
  const grown: number[] = [];
  for (let minute = 0; minute < 180 && story.phase !== 'settled'; minute += 1) {
    const before = story.rollout.percent;
    live(story, MINUTE_MS);
    if (story.rollout.percent !== before) grown.push(on(story));
  }
  expect([grown, story.phase, on(story)]).toEqual([[2, 4, 8, 16], 'settled', 32]);
  expect(story.told('approval-awaited')).toEqual([]);
});

/** What happens to a story, and for how long a leader was there to see it. */
type Act = (story: RolloutStory) => number;

const anyRate = fc.record({
  percent: fc.constantFrom(0.01, 1, 5, 33.3333, 100),
  perMs: fc.constantFrom(10_000, 600_000, 6 * HOUR_MS),
});

const lived = fc.integer({ min: 1, max: 40 }).map(
  (steps): Act =>
    (story) => {
      live(story, steps * 7_000, 7_000);
      return steps * 7_000;
    },
);

const without =
  (act: (story: RolloutStory) => void): Act =>
  (story) => {
    act(story);
    return 0;
  };

const befallen = fc.constantFrom(
  without((story) => story.restart()),
  without((story) => {
    story.nowMs += 3 * HOUR_MS;
    story.restart('forgotten');
  }),
  without((story) => {
    story.nowMs += 40_000;
    story.seeAll();
  }),
  without((story) => story.control('pause')),
  without((story) => story.control('resume')),
  without((story) => story.join('eu', 1)),
);

const rewritten = anyRate.map((rate) => without((story) => story.policy(paced(rate))));

const lives = fc.array(fc.oneof({ weight: 4, arbitrary: lived }, befallen, rewritten), {
  minLength: 3,
  maxLength: 25,
});

test('P4, P6, P7, I4: whatever happens, a cursor never falls, and never rises by more than the time that counted allows', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(anyRate, fc.integer({ min: 1, max: 40 }), lives, (first, nodes, acts) => {
      const story = opened(paced(first), nodes);
      for (const act of acts) {
        const { rollout } = story;
        if (rollout.phase.name !== 'rolling') return;
        const { percent = 0, perMs = 1 } = story.state.record.policy?.layer?.safeRate ?? {};
        const [count, size] = [admitted(story), story.nodes.size];
        const seenMs = act(story);
        expect(story.rollout.regions['eu']?.cursor).toBeGreaterThanOrEqual(
          rollout.regions['eu']?.cursor ?? 0,
        );
        // Up to ten seconds of before may be counted only now, and part of a node that was not a whole one then.
        const openMs = rollout.paused === undefined && seenMs > 0 ? seenMs + 10_000 : 0;
        const joined = story.nodes.size - size;
        const most = 1 + joined + (size * percent * openMs) / (100 * perMs);
        // Who joins may stand among the admitted, and lets one more in: of more nodes the same share is more.
        expect(admitted(story) - count).toBeLessThanOrEqual(openMs === 0 ? 2 * joined : most);
      }
    }),
    { numRuns: Number(process.env['SWELL_TEST_RUNS'] ?? 60) },
  );
});

test('P4: of a hundred thousand nodes exactly as many are admitted as the rate lets through', () => {
  const nodes = Array.from({ length: 100_000 }, (_, index) => {
    const node = `n${index}`;
    const rank = rankOf('seed', node);
    return {
      region: 'eu',
      node,
      rank,
      seenAtMs: 0,
      running: undefined,
      labels: [],
      report: undefined,
      reported: undefined,
    };
  }).sort((a, b) => a.rank - b.rank);
  const line = { nodes, standings: nodes.map(() => 'waiting' as const) };
  const progress = { cursor: FIRST, stageBelow: FIRST, slots: 100_000, nodes: 100_000 };
  for (const count of [1, 10, 833, 49_999, 99_999, 100_000])
    expect(countBelow(line, moveCursor(progress, line, 100, count))).toBe(count);
});
