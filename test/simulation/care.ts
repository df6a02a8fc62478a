/**
 * What `docs/OPERATIONS.md` has an operator do once a bus was put back: no number comes twice, and the
 * revisions of orders get past what agents have seen. The stream that numbers come from is filled up beyond what
 * there was, and so are the orders, which the coordinator then writes anew.
 */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import { haltKey, releaseSubject, STREAMS, waveKey } from '@swell/shared/protocol/subjects.ts';
import { SERVICE, type SimulatedNode, type World } from './world.ts';

/** Beyond the highest number that anybody has seen. */
const BEYOND = 5;
const FILLER = new TextEncoder().encode('filled up after a restore');
const NOTHING = new Uint8Array();

const LOOK_EVERY_MS = 60_000;
/** Until then they may thaw by themselves. */
const FROZEN_LOOKS = 3;

export function takeCare(world: World): void {
  let looks = 0;
  let read = 0;
  const isStuck = (): boolean =>
    world.nodes.some(isFrozen) || world.judge.entries.slice(read).some(tellsOfSetBack);
  const look = (): void => {
    fill(world, STREAMS.releases, releaseSubject(SERVICE));
    looks = isStuck() ? looks + 1 : 0;
    if (looks >= FROZEN_LOOKS && world.server.state === 'up') {
      renewOrders(world);
      looks = 0;
      read = world.judge.entries.length;
    }
    world.time.after(LOOK_EVERY_MS, look);
  };
  look();
}

function isFrozen({ running }: SimulatedNode): boolean {
  return running?.agent.states().some(({ frozen }) => frozen) === true;
}

function tellsOfSetBack(entry: LogEntry): boolean {
  return entry.kind === 'event' && entry.event.name === 'record-set-back';
}

function renewOrders(world: World): void {
  fill(world, STREAMS.orders, '$KV.swell_orders.filler');
  const regions = new Set(world.nodes.map(({ model }) => model.region));
  for (const service of world.services) {
    for (const region of regions) world.say(waveKey(region, service), NOTHING, true);
    world.say(haltKey(service), NOTHING, true);
  }
  // What was ordered before is nothing that anybody has to keep to: a person has said so.
  world.server.onChanged(STREAMS.orders);
}

/** Where the stream was set back, fills it up. */
function fill(world: World, stream: string, subject: string): void {
  const reached = world.reached.get(stream) ?? 0;
  if (world.server.state !== 'up' || world.server.lastSequence(stream) >= reached) return;
  while (world.server.lastSequence(stream) < reached + BEYOND) world.say(subject, FILLER);
}
