/**
 * What `docs/OPERATIONS.md` has an operator do once everything has healed: where the orders went backwards and their
 * revisions do not get past what agents have seen, the frozen ones are stopped, lose their journals, and start again.
 */

import type { SimulatedNode, World } from './world.ts';

const LOOK_EVERY_MS = 60_000;
/** Until then it may thaw by itself. */
const FROZEN_MAX_MS = 300_000;
const RESTART_MS = 10_000;

export function takeCare(world: World): void {
  const sinceMs = new Map<SimulatedNode, number>();
  const look = (): void => {
    for (const node of world.nodes) {
      if (!isFrozen(node)) sinceMs.delete(node);
      else if (!sinceMs.has(node)) sinceMs.set(node, world.nowMs);
      else if (world.nowMs - (sinceMs.get(node) ?? 0) >= FROZEN_MAX_MS) startAnew(world, node);
    }
    world.time.after(LOOK_EVERY_MS, look);
  };
  look();
}

function isFrozen({ running }: SimulatedNode): boolean {
  return running?.agent.states().some(({ frozen }) => frozen) === true;
}

function startAnew(world: World, node: SimulatedNode): void {
  world.killAgent(node, { awayMs: RESTART_MS, arriving: 0 });
  node.model.loseDisk();
}
