import type { NodeReport } from '@swell/shared/domain/report.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK } from '../../../../test/support/rollout-story.ts';
import type { CoordinatorEvent, NodeSighting } from './events.ts';
import { newService, type ServiceState } from './state.ts';
import { step } from './step.ts';

const NODES = 100_000;
const REGIONS = 20;
/** Of a processor's time, since others may be at work on the machine that tests. */
const STEP_MAX_MS = 100;
const DRAWING_MAX_MS = 3_000;

const NOW = 1_000_000_000;

function sighting(index: number, seenAtMs = NOW): NodeSighting {
  const presence = { running: digestOf('v0'), phase: 'idle', ready: true };
  return { region: `r${index % REGIONS}`, node: `node-${index}`, seenAtMs, presence };
}

function report(index: number, rollout: number, status: NodeReport['status']): NodeReport {
  return {
    id: String(index),
    region: `r${index % REGIONS}`,
    node: `node-${index}`,
    service: 'web',
    rollout,
    status,
    ...(status === 'healthy' && { attempt: '1' }),
  };
}

/** Steps and acknowledges its orders at once. Returns how long the step itself took. */
function timed(state: ServiceState, event: CoordinatorEvent, nowMs: number): readonly [ServiceState, number] {
  const began = process.threadCpuUsage();
  const { state: after, effects } = step(state, event, nowMs);
  const { user, system } = process.threadCpuUsage(began);
  const tookMs = (user + system) / 1_000;
  let next = after;
  let revision = 1_000 + nowMs;
  for (const effect of effects) {
    if (effect.kind !== 'publish-wave') continue;
    const stored = {
      kind: 'wave-stored',
      region: effect.wave.region,
      revision: (revision += 1),
      wave: effect.wave,
    } as const;
    next = step(next, stored, nowMs).state;
  }
  return [next, tookMs];
}

test('with 100,000 nodes in 20 regions no step of a rollout takes long', { timeout: 60_000 }, () => {
  let state = newService('web');
  const took = new Map<string, number[]>();
  const hear = (what: string, event: CoordinatorEvent, nowMs = NOW): void => {
    const [next, ms] = timed(state, event, nowMs);
    state = next;
    took.set(what, [...(took.get(what) ?? []), ms]);
  };
  hear('policy', {
    kind: 'policy-written',
    at: { sequence: 1, storedAtMs: NOW },
    policy: {
      ok: true,
      value: { ...QUICK, maxUnavailable: { kind: 'percent', percent: 5 }, stagesPercent: [100] },
    },
  });
  hear('presence of all', {
    kind: 'nodes-seen',
    nodes: Array.from({ length: NODES }, (_, index) => sighting(index)),
  });
  hear('bus read', { kind: 'bus-read' });
  hear('release', {
    kind: 'release-published',
    at: { sequence: 2, storedAtMs: NOW },
    release: { ok: true, value: { image: { repository: 'r/web' }, overrides: {}, acceptHalted: false } },
  });
  hear('placing', { kind: 'image-resolved', rollout: 2, digest: digestOf('v1') });
  let sequence = 10;
  const heard = (from: number, count: number, status: NodeReport['status']): CoordinatorEvent => ({
    kind: 'reports-read',
    reports: Array.from({ length: count }, (_, index) => ({
      report: report(from + index, 2, status),
      sequence: (sequence += 1),
      heardAtMs: NOW,
    })),
  });
  for (let from = 0; from < 10_000; from += 1_000) hear('a thousand staged', heard(from, 1_000, 'staged'));
  state = step(state, heard(10_000, NODES - 10_000, 'staged'), NOW).state;
  expect(state.record.rollout?.phase.name).toBe('rolling');
  for (let from = 0; from < 10_000; from += 1_000) hear('a thousand healthy', heard(from, 1_000, 'healthy'));
  for (let from = 20_000; from < 20_020; from += 1) hear('one healthy', heard(from, 1, 'healthy'));
  for (let index = 0; index < 20; index += 1)
    hear('one seen', { kind: 'nodes-seen', nodes: [sighting(index, NOW + 1)] });
  for (let second = 0; second < 20; second += 1) hear('time', { kind: 'time-passed' }, NOW + second * 1_000);
  // All of them on time at once, as after an hour's break: every line is walked anew.
  hear('expiry', { kind: 'time-passed' }, NOW + 180_000);

  // These two draw a rank for each node, once for a leader and once for a rollout.
  const drawing = ['presence of all', 'placing'];
  const tooLong = [...took]
    .map(([what, times]) => [what, times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0] as const)
    .filter(([what, ms]) => ms > (drawing.includes(what) ? DRAWING_MAX_MS : STEP_MAX_MS));
  expect(tooLong).toEqual([]);
});
