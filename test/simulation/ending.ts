/**
 * The calm after the storm, in four acts, each a release: one reaches everybody (I14); the one after it, since that was
 * halted, reaches everybody from there; halted as well, it is left by everybody who has anything to go back to, and that is
 * neither of them (I5); the last reaches everybody, and a node that comes when all is over (K5).
 */

import { hasBeenLeft, isOver, whatIsLeft } from './liveness.ts';
import { newestTag, type People, releaseNext } from './people.ts';
import type { World } from './world.ts';

const ACT_MAX_MS = 2 * 3_600_000;
/** Messages of the last result still travel. */
const AFTERMATH_MS = 300_000;

/** A release of the calm. */
interface Act {
  readonly rollout: number | undefined;
  readonly version: string;
}

/** Until the first act that does not come to its end. */
export async function end(world: World, people: People): Promise<void> {
  people.fallSilent();
  const first = act(world);
  if (!(await reachesEverybody(world, first))) return;
  world.control({ action: 'halt' });
  const second = act(world);
  if (!(await reachesEverybody(world, second))) return;
  world.control({ action: 'halt' });
  const isLeft = (): boolean => hasBeenLeft(world, second.rollout, [first.version, second.version]);
  if (!(await comesAbout(world, 'I5', second, isLeft))) return;
  people.sayTheLast();
  const last = act(world);
  if (!(await reachesEverybody(world, last))) return;
  world.startAgent(world.addNode());
  if (!(await reachesEverybody(world, last))) return;
  await world.run(AFTERMATH_MS);
  if (world.truth.violations.length === 0) world.finish();
}

function act(world: World): Act {
  const rollout = releaseNext(world);
  return { rollout, version: newestTag(world) };
}

function reachesEverybody(world: World, { rollout, version }: Act): Promise<boolean> {
  return comesAbout(world, 'I14', { rollout, version }, () => isOver(world, rollout, version));
}

async function comesAbout(
  world: World,
  rule: 'I5' | 'I14',
  { rollout, version }: Act,
  isSo: () => boolean,
): Promise<boolean> {
  const came = await world.run(ACT_MAX_MS, isSo);
  if (world.truth.violations.length > 0) return false;
  world.truth.bench.judged(rule, 1 + world.nodes.filter(({ isGone }) => !isGone).length);
  if (!came) world.truth.break(rule, whatIsLeft(world, rollout, version), { rollout });
  return came;
}
