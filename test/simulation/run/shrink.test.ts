import { expect, test } from 'vitest';
import { noChecks } from '../judge/bench.ts';
import type { Life } from '../life.ts';
import type { FaultKind } from '../profile.ts';
import { type Job, NOTHING } from './job.ts';
import { shrink } from './shrink.ts';

const KINDS: readonly FaultKind[] = ['agent crash', 'bus restart', 'full disk', 'slow node'];
const STRIKES = Array.from({ length: 40 }, (_, at) => ({
  number: at + 1,
  kind: KINDS[at % KINDS.length] as FaultKind,
  atMs: at,
  what: '',
}));
const JOB: Job = { seed: '7', nodes: 60, stormHours: 1, calm: false, slow: false, omitted: NOTHING };

/** A world in which what breaks a rule depends on its strikes and its size alone. */
function worldOf(rule: (strikes: ReadonlySet<number>, nodes: number) => 'I1' | 'I9' | undefined) {
  const lived: Job[] = [];
  const live = async (job: Job): Promise<Life> => {
    lived.push(job);
    const { only } = job.omitted;
    const strikes = STRIKES.filter(({ number }) => only === undefined || only.includes(number));
    const broken = rule(new Set(strikes.map(({ number }) => number)), job.nodes);
    const violations =
      broken === undefined ? [] : [{ rule: broken, atMs: 0, message: `by ${strikes.length}`, concern: {} }];
    return {
      seed: job.seed,
      violations,
      nodeUpdates: 0,
      livedMs: 1_200_000,
      nodeMs: 0,
      checks: noChecks(),
      excused: {},
      strikes,
      coverage: {},
      history: '',
      entries: 0,
      mostOut: 0,
      trace: violations.map(({ message }) => message),
    };
  };
  return { live, lived };
}

test('the strikes that it takes and the smallest fleet are left, with their own trace', async () => {
  const { live } = worldOf((strikes, nodes) =>
    strikes.has(9) && strikes.has(22) && nodes >= 5 ? 'I1' : undefined,
  );
  const shrunk = await shrink(JOB, await live(JOB), { live, isSpent: () => false, width: 2 });
  expect(shrunk).toMatchObject({
    job: { seed: '7', nodes: 5, omitted: { only: [9, 22], without: [], withoutKinds: [] } },
    life: { trace: ['by 2'] },
  });
  expect(shrunk.reruns).toBeLessThan(60);
});

test('another rule that breaks is another story', async () => {
  const { live } = worldOf((strikes) => {
    if (strikes.has(9) && strikes.has(22)) return 'I1';
    return strikes.has(9) ? 'I9' : undefined;
  });
  const shrunk = await shrink(JOB, await live(JOB), { live, isSpent: () => false, width: 1 });
  expect(shrunk.job.omitted.only).toEqual([9, 22]);
});

test('what breaks in calm weather needs no strike', async () => {
  const { live } = worldOf(() => 'I1');
  const shrunk = await shrink(JOB, await live(JOB), { live, isSpent: () => false, width: 1 });
  expect(shrunk.job).toMatchObject({ nodes: 1, omitted: { only: [] } });
});

test('where there is no time, the first story is told', async () => {
  const { live } = worldOf(() => 'I1');
  const first = await live(JOB);
  const shrunk = await shrink(JOB, first, { live, isSpent: () => true, width: 1 });
  expect(shrunk).toEqual({ job: JOB, life: first, reruns: 0 });
});

test('reruns do not wait much longer than the first time took, but for what breaks in the calm behind the storm', async () => {
  const inStorm = worldOf(() => 'I1');
  await shrink(JOB, await inStorm.live(JOB), { live: inStorm.live, isSpent: () => false, width: 1 });
  expect(inStorm.lived.at(-1)?.patienceMs).toBe(1_800_000);
  const behind = worldOf(() => 'I1');
  const short = { ...JOB, stormHours: 0.3 };
  await shrink(short, await behind.live(short), { live: behind.live, isSpent: () => false, width: 1 });
  expect(behind.lived.at(-1)?.patienceMs).toBeUndefined();
});
