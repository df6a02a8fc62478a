import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Halt, Wave } from '../domain/wave.ts';
import { encode } from './codec.ts';
import { readHalt, readWave } from './orders.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const PLACE = { region: 'eu', service: 'web' };

const WAVE: Wave = {
  ...PLACE,
  release: {
    rollout: 7,
    service: 'web',
    image: { repository: 'r.example/web', digest: DIGEST },
    version: 'v2',
  },
  phase: 'open',
  stage: { number: 1, of: 2, percent: 25 },
  seed: 'seed',
  stageBelow: 0.25,
  cursor: 0.1,
  slots: 2,
  slotLeaseMs: 120_000,
  stagingSpreadMs: 30_000,
  health: DEFAULT_POLICY.health,
  drain: DEFAULT_POLICY.drain,
  rejoin: DEFAULT_POLICY.rejoin,
};
const HALT: Halt = { service: 'web', rollout: 7, digest: DIGEST, version: 'v2', reason: 'bad' };

test('an order is read in its own place', () => {
  expect(readWave(encode(WAVE), PLACE)).toEqual({ ok: true, value: WAVE });
  expect(readHalt(encode(HALT), PLACE)).toEqual({ ok: true, value: HALT });
  const scoped: Wave = { ...WAVE, scope: 'europe', halt: HALT };
  expect(readWave(encode(scoped), PLACE)).toEqual({ ok: true, value: scoped });
});

test.each<[string, Wave, string]>([
  ['of another region', { ...WAVE, region: 'us' }, 'region: it speaks of us, under the name of eu'],
  ['of another service', { ...WAVE, service: 'db' }, 'service: it speaks of db, under the name of web'],
  [
    "with another service's release",
    { ...WAVE, release: { ...WAVE.release, service: 'db' } },
    'release.service: it speaks of db, under the name of web',
  ],
  [
    "with another service's halt",
    { ...WAVE, halt: { ...HALT, service: 'db' } },
    'halt.service: it speaks of db, under the name of web',
  ],
])('a wave %s is none: it would bring an image to the wrong containers', (_, wave, problem) => {
  expect(readWave(encode(wave), PLACE)).toEqual({ ok: false, problems: [problem] });
});

test('a halt of another service halts nobody', () => {
  const problems = ['service: it speaks of db, under the name of web'];
  expect(readHalt(encode({ ...HALT, service: 'db' }), PLACE)).toEqual({ ok: false, problems });
});
