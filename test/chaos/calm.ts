/** After the storm: the last release must reach everybody (I14), and leave nothing half done. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { People } from './people.ts';
import type { World } from './world.ts';

/** Presence expires after three minutes, and a rollout may have to wait for that. */
const SETTLES_WITHIN_MS = 300_000;
const RESTS_WITHIN_MS = 90_000;
const RESUMES_EVERY_MS = 15_000;
const LOOK_EVERY_MS = 1_000;
const NAMED_MAX = 6;

/** One look at what the log and the processes show by now. */
export function lookOnce({ judge, parts, programs }: World): void {
  judge.look();
  for (const program of [...parts.cluster.servers, ...programs]) {
    if (program.hasFailed)
      judge.break('crash', `${program.name} ended by itself; its log is ${program.logFile}`);
  }
}

export async function comeToRest(world: World, people: People, say: (line: string) => void): Promise<void> {
  const { judge, parts } = world;
  if (!(await world.untilClusterIsWell())) return;
  const { rollout, digest } = await people.last();
  const isSettled = (): boolean =>
    judge.seen.some(
      ({ entry }) =>
        entry.kind === 'event' && entry.event.name === 'rollout-settled' && entry.event.rollout === rollout,
    );
  const elsewhere = (): readonly string[] => nodesElsewhere(world, digest);
  const settled = await within(
    world,
    SETTLES_WITHIN_MS,
    people,
    () => isSettled() && elsewhere().length === 0,
  );
  if (!settled) {
    const nodes = elsewhere();
    const named = nodes.slice(0, NAMED_MAX).join(', ');
    const where = `${nodes.length} nodes do not run it: ${named}`;
    return judge.break('I14', `rollout ${rollout} has ${isSettled() ? '' : 'not '}settled, and ${where}`);
  }
  say(`rollout ${rollout} has settled, and every node runs it`);
  const left = (): readonly string[] => [
    ...judge.slotHolders(),
    ...judge.openAttempts(),
    ...parts.machines.halfDone(),
  ];
  const atRest = await within(world, RESTS_WITHIN_MS, people, () => left().length === 0);
  await world.untilAllRead(parts.signal);
  const undone = parts.machines.halfDone();
  if (undone.length > 0) judge.break('I9', `swaps are half done on ${undone.join(', ')}`);
  if (!atRest && judge.slotHolders().length > 0)
    judge.break('I14', `slots are still held by ${judge.slotHolders().join(', ')}`);
}

function nodesElsewhere({ parts }: World, digest: Digest): readonly string[] {
  return [...parts.machines.running()].flatMap(([node, running]) =>
    running === digest ? [] : [`${node} (${running?.slice(7, 15) ?? 'nothing runs'})`],
  );
}

/** Whoever is asked for a word gives it; what is broken ends the waiting. */
async function within(world: World, ms: number, people: People, isSo: () => boolean): Promise<boolean> {
  const { signal } = world.parts;
  const endMs = performance.now() + ms;
  let resumeMs = performance.now() + RESUMES_EVERY_MS;
  while (!isSo()) {
    if (performance.now() > endMs || world.judge.violations.length > 0) return false;
    await delay(LOOK_EVERY_MS, undefined, { signal });
    lookOnce(world);
    if (performance.now() < resumeMs) continue;
    resumeMs += RESUMES_EVERY_MS;
    await people.resume();
  }
  return true;
}
