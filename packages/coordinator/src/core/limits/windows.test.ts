import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { parseWindow, type TimeWindow } from '@swell/shared/domain/window.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function windowOf(text: string): TimeWindow {
  const window = parseWindow(text);
  if (typeof window === 'string') throw new Error(window);
  return window;
}

function openIn(times: Readonly<Record<string, string>>, change: PolicyLayer = {}): PolicyLayer {
  const windows = Object.fromEntries(
    Object.entries(times).map(([region, text]) => [region, { windows: [windowOf(text)], except: [] }]),
  );
  return { ...QUICK, stagesPercent: [100], windows, ...change };
}

/** A story that begins at a time; no node has shown itself since, so everybody does. */
function storyAt(at: string, policy: PolicyLayer, regions: Readonly<Record<string, number>>): RolloutStory {
  const story = new RolloutStory({ policy, regions });
  story.nowMs = Date.parse(at);
  story.restart('forgotten');
  story.tick(10_000);
  return story;
}

/** Looked at often enough for time to count; or seldom, where it is long, and none of it does. */
function live(story: RolloutStory, ms: number, stepMs = 30_000): void {
  for (let left = ms; left > 0; left -= stepMs) {
    story.tick(Math.min(stepMs, left));
    story.seeAll();
    while (story.actOnce());
  }
}

function on(story: RolloutStory, region: string): number {
  const there = [...story.nodes.values()].filter((node) => node.region === region);
  return there.filter(({ running }) => running === digestOf('v1')).length;
}

test('N5: outside its window a region downloads and does not start, and the others go on', () => {
  // A Friday in winter: it is 21:00 in Vienna and 15:00 in New York.
  const policy = openIn({ eu: 'fri 22:00-24:00 Europe/Vienna' });
  const story = storyAt('2026-11-20T20:00:00Z', policy, { eu: 3, us: 3 });
  story.publish('v1');
  live(story, 50 * MINUTE_MS);
  expect([on(story, 'eu'), on(story, 'us'), story.wave('eu').phase]).toEqual([0, 3, 'staging']);
  expect(
    [...story.nodes.keys()].filter((id) => story.reports.get(id)?.report.status === 'staged').sort(),
  ).toEqual(['eu-1', 'eu-2', 'eu-3']);
  live(story, 20 * MINUTE_MS);
  expect([on(story, 'eu'), story.phase]).toEqual([3, 'settled']);
});

test('N5: a window that closes lets nobody start any more, and the next one goes on from there', () => {
  const policy = openIn(
    { '*': '22:00-23:00' },
    { maxUnavailable: { kind: 'count', count: 1 }, slotLeaseMs: 86_400_000 },
  );
  const story = storyAt('2026-11-20T22:57:00Z', policy, { eu: 10 });
  story.publish('v1');
  story.act(() => on(story, 'eu') === 2);
  const cursor = story.rollout.regions['eu']?.cursor;
  story.nowMs = Date.parse('2026-11-20T22:59:59Z');
  story.seeAll();
  story.tick(1_000);
  expect([story.wave('eu').phase, story.wave('eu').cursor]).toEqual(['staging', cursor]);
  live(story, HOUR_MS);
  const soFar = on(story, 'eu');
  expect(soFar).toBeLessThanOrEqual(3);
  live(story, 22 * HOUR_MS - MINUTE_MS, 150_000);
  expect([on(story, 'eu'), story.phase]).toEqual([soFar, 'rolling']);
  live(story, 2 * MINUTE_MS);
  expect(on(story, 'eu')).toBeGreaterThan(soFar);
});

test('N5: that a window closes and opens is told once, with its times, whoever leads', () => {
  const story = storyAt('2026-11-20T20:00:00Z', openIn({ eu: '22:00-23:00' }), { eu: 3 });
  const number = story.publish('v1');
  live(story, HOUR_MS);
  story.restart();
  live(story, 90 * MINUTE_MS);
  const told = story.events.filter(({ name }) => name.startsWith('window'));
  expect(told.map(({ name, rollout, line }) => ({ name, rollout, line }))).toEqual([
    {
      name: 'window-closed',
      rollout: number,
      line: `rollout ${number} of web: nobody starts in eu (open 22:00-23:00)`,
    },
    {
      name: 'window-opened',
      rollout: number,
      line: `rollout ${number} of web: the window of eu is open`,
    },
  ]);
});

test('N5: a closed window is no standstill, but a node that does not come through in an open one is', () => {
  const story = storyAt('2026-11-20T20:00:00Z', openIn({ eu: '22:00-23:00' }, { slotLeaseMs: 86_400_000 }), {
    eu: 3,
  });
  story.publish('v1');
  live(story, 119 * MINUTE_MS);
  expect(story.phase).toBe('rolling');
  story.behave('hangs');
  live(story, 10 * MINUTE_MS);
  expect(story.phase).toBe('rolling');
  live(story, 8 * MINUTE_MS);
  expect(story.rollout.paused?.reason).toMatch(/^no further node is healthy for 15m/);
});

test('P4, N5: time in which its window is closed moves no cursor', () => {
  const safeRate = { percent: 100, perMs: 2 * HOUR_MS };
  const policy = openIn({ eu: '22:00-23:00' }, { safeRate, maxUnavailable: { kind: 'count', count: 100 } });
  const story = storyAt('2026-11-20T20:00:00Z', policy, { eu: 20 });
  story.publish('v1');
  live(story, 119 * MINUTE_MS);
  expect(on(story, 'eu')).toBe(0);
  live(story, 32 * MINUTE_MS);
  expect(on(story, 'eu')).toBe(5);
  live(story, 23 * HOUR_MS);
  expect(on(story, 'eu')).toBe(9);
  live(story, 2 * HOUR_MS);
  expect(story.phase).toBe('rolling');
});

test('N5: after a halt nodes go back at any time, and a settled release is followed at any time', () => {
  const story = storyAt('2026-11-20T22:00:00Z', openIn({ eu: '22:00-23:00' }), { eu: 6 });
  story.leave('eu-1');
  story.publish('v1');
  live(story, 10 * MINUTE_MS);
  expect([on(story, 'eu'), story.phase]).toEqual([5, 'settled']);
  story.nowMs = Date.parse('2026-11-21T03:00:00Z');
  story.seeAll();
  story.comeBack('eu-1');
  live(story, MINUTE_MS);
  expect(on(story, 'eu')).toBe(6);
  story.control('halt');
  live(story, 10 * MINUTE_MS);
  expect([on(story, 'eu'), story.phase]).toEqual([0, 'rested']);
});

test('P7: a policy without windows opens at once, and so does a release that brings none along', () => {
  const story = storyAt('2026-11-20T20:00:00Z', openIn({ '*': '22:00-23:00' }), { eu: 3 });
  story.publish('v1');
  live(story, 5 * MINUTE_MS);
  expect(on(story, 'eu')).toBe(0);
  story.publish('v1', { overrides: { windows: {} } });
  live(story, 5 * MINUTE_MS);
  expect([on(story, 'eu'), story.phase]).toEqual([3, 'settled']);
});
