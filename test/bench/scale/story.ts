/** One rollout through a coordinator's core, with every step timed. */

import type { CoordinatorEvent, NodeSighting } from '@swell/coordinator/core/events.ts';
import { newService, type ServiceState } from '@swell/coordinator/core/state.ts';
import { step } from '@swell/coordinator/core/step.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { digestOf, QUICK } from '../../support/rollout-story.ts';

const REGIONS = 20;
const NOW = 1_000_000_000;
const BATCH = 1_000;

/** How long the steps of each kind took, in ms. */
export type Times = ReadonlyMap<string, readonly number[]>;

/** @param nodes of the fleet, at least 11,000: batches of a thousand reports are taken from it */
export function live(nodes: number): Times {
  const times = new Map<string, number[]>();
  let state = newService('web');
  let sequence = 10;
  const hear = (what: string, event: CoordinatorEvent, nowMs = NOW): void => {
    const [next, ms] = timed(state, event, nowMs);
    state = next;
    times.set(what, [...(times.get(what) ?? []), ms]);
  };
  const heard = (from: number, count: number, status: NodeReport['status']): CoordinatorEvent => ({
    kind: 'reports-read',
    reports: Array.from({ length: count }, (_, index) => ({
      report: report(from + index, status),
      sequence: (sequence += 1),
      heardAtMs: NOW,
    })),
  });
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
    nodes: Array.from({ length: nodes }, (_, index) => sighting(index)),
  });
  hear('bus read', { kind: 'bus-read' });
  hear('release', {
    kind: 'release-published',
    at: { sequence: 2, storedAtMs: NOW },
    release: { ok: true, value: { image: { repository: 'r/web' }, overrides: {}, acceptHalted: false } },
  });
  hear('a line for each region', { kind: 'image-resolved', rollout: 2, digest: digestOf('v1') });
  for (let from = 0; from < 10 * BATCH; from += BATCH)
    hear('a thousand staged', heard(from, BATCH, 'staged'));
  state = step(state, heard(10 * BATCH, nodes - 10 * BATCH, 'staged'), NOW).state;
  if (state.record.rollout?.phase.name !== 'rolling') throw new Error('it does not roll');
  for (let from = 0; from < 10 * BATCH; from += BATCH)
    hear('a thousand healthy', heard(from, BATCH, 'healthy'));
  for (let index = 0; index < 20; index += 1) {
    hear('one healthy', heard(10 * BATCH + index, 1, 'healthy'));
    hear('one seen', { kind: 'nodes-seen', nodes: [sighting(index, NOW + 1)] });
    hear('time', { kind: 'time-passed' }, NOW + index * 1_000);
  }
  // All of them on time at once, as after an hour's break: every line is walked anew.
  hear('expiry', { kind: 'time-passed' }, NOW + 180_000);
  return times;
}

/** Steps, and acknowledges its orders at once. Returns how long the step itself took. */
function timed(state: ServiceState, event: CoordinatorEvent, nowMs: number): readonly [ServiceState, number] {
  const began = performance.now();
  const { state: after, effects } = step(state, event, nowMs);
  const tookMs = performance.now() - began;
  let next = after;
  let revision = 1_000 + nowMs;
  for (const effect of effects) {
    if (effect.kind !== 'publish-wave') continue;
    const { wave } = effect;
    const stored = { kind: 'wave-stored', region: wave.region, revision: (revision += 1), wave } as const;
    next = step(next, stored, nowMs).state;
  }
  return [next, tookMs];
}

function sighting(index: number, seenAtMs = NOW): NodeSighting {
  const presence = { running: digestOf('v0'), phase: 'idle', ready: true };
  return { region: `r${index % REGIONS}`, node: `node-${index}`, seenAtMs, presence };
}

function report(index: number, status: NodeReport['status']): NodeReport {
  return {
    id: String(index),
    region: `r${index % REGIONS}`,
    node: `node-${index}`,
    service: 'web',
    rollout: 2,
    status,
    ...(status === 'healthy' && { attempt: '1' }),
  };
}
