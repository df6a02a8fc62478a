import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from './policy.ts';
import { admits, type Halt, isHalted, type Release, type Wave, type WavePhase, wantsStaged } from './wave.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;

function release(rollout: number, digest = DIGEST): Release {
  return { rollout, service: 'web', image: { repository: 'registry.example/web', digest }, version: 'v1' };
}

function wave(phase: WavePhase): Wave {
  return {
    region: 'eu',
    service: 'web',
    release: release(7),
    phase,
    stage: { number: 1, of: 2, percent: 50 },
    seed: 'seed',
    stageBelow: 0.5,
    cursor: 0.2,
    slots: 2,
    slotLeaseMs: 120_000,
    stagingSpreadMs: 0,
    health: DEFAULT_POLICY.health,
    drain: DEFAULT_POLICY.drain,
    rejoin: DEFAULT_POLICY.rejoin,
  };
}

const RANKS = [0.1, 0.2, 0.4, 0.5, 0.9];

test.each<[WavePhase, readonly number[], readonly number[]]>([
  ['staging', [], [0.1, 0.2, 0.4]],
  ['open', [0.1], [0.1, 0.2, 0.4]],
  ['paused', [], []],
  ['settled', RANKS, RANKS],
  ['halted', [], []],
  ['aborted', [], []],
])('a wave that is %s admits %j and wants the image with %j', (phase, admitted, staged) => {
  expect(RANKS.filter((rank) => admits(wave(phase), rank))).toEqual(admitted);
  expect(RANKS.filter((rank) => wantsStaged(wave(phase), rank))).toEqual(staged);
});

test('an admitted node wants the image, even where the cursor went past the stage', () => {
  expect(wantsStaged({ ...wave('open'), cursor: 0.8 }, 0.7)).toBe(true);
});

test('a halt holds for its digest up to its rollout; a later release may carry it on purpose', () => {
  const halt: Halt = { service: 'web', rollout: 7, digest: DIGEST, version: 'v1', reason: 'bad' };
  expect(isHalted(halt, release(7))).toBe(true);
  expect(isHalted(halt, release(6))).toBe(true);
  expect(isHalted(halt, release(8))).toBe(false);
  expect(isHalted(halt, release(7, OTHER))).toBe(false);
  expect(isHalted(undefined, release(7))).toBe(false);
});

test('what the fleet had settled on before is not halted as that', () => {
  const halt = { service: 'web', rollout: 7, digest: DIGEST, version: 'v1', reason: 'bad', settledAs: 5 };
  expect([5, 6, 7, 8].map((rollout) => isHalted(halt, release(rollout)))).toEqual([false, true, true, false]);
});
