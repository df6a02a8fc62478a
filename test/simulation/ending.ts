/**
 * The calm after the storm, in four acts, each a release of every service: one, of its
 * tag where that is watched, reaches everybody (I14, N1); the one after it,
 * since that was halted, reaches everybody from there; halted as well, it is left by everybody who has anything to go back
 * to, and that is neither of them (I5); the last reaches everybody, and a node that comes when all is over (K5).
 */

import { type Delivery, deliver } from './deliveries.ts';
import { hasBeenLeft, isOver, whatIsLeft } from './liveness.ts';
import type { People } from './people.ts';
import { push } from './watched-tag.ts';
import type { World } from './world.ts';

const ACT_MAX_MS = 2 * 3_600_000;
/** Messages of the last result still travel. */
const AFTERMATH_MS = 300_000;

/** One release of each service. */
type Act = readonly Delivery[];

/** Until the first act that does not come to its end. */
export async function end(world: World, people: readonly People[]): Promise<void> {
  for (const one of people) one.fallSilent();
  const first = world.services.map((service) =>
    world.watched.has(service) ? push(world, service) : deliver(world, service, { whole: true }),
  );
  if (!(await reachesEverybody(world, first))) return;
  halt(world);
  const second = act(world);
  if (!(await reachesEverybody(world, second))) return;
  halt(world);
  const isLeft = (delivery: Delivery, at: number): boolean =>
    hasBeenLeft(world, delivery, first[at] as Delivery);
  if (!(await comesAbout(world, 'I5', second, isLeft))) return;
  for (const one of people) one.sayTheLast();
  const last = act(world);
  if (!(await reachesEverybody(world, last))) return;
  world.startAgent(world.addNode());
  if (!(await reachesEverybody(world, last))) return;
  await world.run(AFTERMATH_MS);
  if (world.bench.violations.length === 0) world.finish();
}

/** What depends on others is released before them: it has to wait for nobody, or for all. */
function act(world: World): Act {
  return world.services.map((service) => deliver(world, service, { whole: true }));
}

function halt(world: World): void {
  for (const service of world.services) world.control({ action: 'halt' }, service);
}

function reachesEverybody(world: World, deliveries: Act): Promise<boolean> {
  return comesAbout(world, 'I14', deliveries, (delivery) => isOver(world, delivery));
}

async function comesAbout(
  world: World,
  rule: 'I5' | 'I14',
  deliveries: Act,
  isSo: (delivery: Delivery, at: number) => boolean,
): Promise<boolean> {
  const came = await world.run(ACT_MAX_MS, () => deliveries.every(isSo));
  if (world.bench.violations.length > 0) return false;
  world.bench.judged(rule, deliveries.length + world.nodes.filter(({ isGone }) => !isGone).length);
  if (came) return true;
  for (const delivery of deliveries.filter((one, at) => !isSo(one, at)))
    world.bench.break(rule, whatIsLeft(world, delivery), {
      ...(typeof delivery.rollout === 'number' && { rollout: delivery.rollout }),
    });
  return false;
}
