/** I14: has the last rollout come to its end, and if not, where does it hang? */

import { presenceOf } from '@swell/agent/core/presence.ts';
import { shortDigest } from '@swell/shared/domain/image.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { describeWave, waveSchema } from '@swell/shared/protocol/orders.ts';
import { leaseSchema, RECORD_BYTES_MAX, serviceRecordSchema } from '@swell/shared/protocol/records.ts';
import { LEASE_KEY, rolloutKey, STREAMS, waveKey } from '@swell/shared/protocol/subjects.ts';
import type { z } from 'zod';
import { digestOf, SERVICE, type SimulatedNode, type World } from './world.ts';

const NODES_NAMED_MAX = 8;

/** The rollout has ended, and everybody who is not gone for good runs its image. */
export function isOver(world: World, number: number | undefined, version: string): boolean {
  if (elsewhere(world, version).length > 0) return false;
  const rollout = presentRollout(world);
  return rollout !== undefined && rollout.release.rollout === number && !isUnderWay(rollout);
}

/** The rollout was bad: it has been halted, and rests, and nobody runs its image. */
export function hasBeenLeft(world: World, number: number | undefined, version: string): boolean {
  const digest = digestOf(version);
  if (world.nodes.some(({ isGone, model }) => !isGone && model.running(SERVICE) === digest)) return false;
  const rollout = presentRollout(world);
  return rollout?.release.rollout === number && rollout?.phase.name === 'rested';
}

/** Where it hangs, in words: the coordinators, the rollout, the waves, and each node that is not there with its reason. */
export function whatIsLeft(world: World, number: number | undefined, version: string): string {
  const rollout = presentRollout(world);
  const others = elsewhere(world, version);
  const named = others.slice(0, NODES_NAMED_MAX).map((node) => whyNotThere(node));
  const more = others.length > named.length ? `, and ${others.length - named.length} more` : '';
  return [
    `rollout ${number} (${version}) has not come to its end`,
    whoLeads(world),
    rollout === undefined ? 'there is no rollout' : describeRollout(rollout),
    ...waves(world).map(describeWave),
    others.length === 0
      ? 'every node runs it'
      : `${others.length} nodes elsewhere: ${named.join('; ')}${more}`,
  ].join('. ');
}

function elsewhere({ nodes }: World, version: string): readonly SimulatedNode[] {
  const digest = digestOf(version);
  return nodes.filter(({ isGone, model }) => !isGone && model.running(SERVICE) !== digest);
}

/** The rollout that the bus shows, past every program. */
export function presentRollout(world: World): Rollout | undefined {
  return read(world, STREAMS.rollouts, rolloutKey(SERVICE), serviceRecordSchema)?.rollout;
}

function describeRollout({ release, phase, paused }: Rollout): string {
  const over = paused === undefined ? '' : `, paused: ${paused.reason}`;
  return `rollout ${release.rollout} (${release.version}) is ${phase.name}${over}`;
}

function waves(world: World): readonly Wave[] {
  const regions = [...new Set(world.nodes.map(({ model }) => model.region))];
  return regions.flatMap((region) => read(world, STREAMS.orders, waveKey(region, SERVICE), waveSchema) ?? []);
}

function whoLeads(world: World): string {
  const lease = read(world, STREAMS.rollouts, LEASE_KEY, leaseSchema);
  const running = world.coordinators.filter((one) => one.running !== undefined).map(({ name }) => name);
  const leads = lease === undefined ? 'nobody leads' : `${lease.coordinator} leads in term ${lease.term}`;
  return `${leads}, coordinators that run: ${running.join(', ') || 'none'}`;
}

function whyNotThere({ model, running }: SimulatedNode): string {
  const runs = model.running(SERVICE);
  const at = `${model.name} (${model.region}) runs ${runs === undefined ? 'nothing' : shortDigest(runs)}`;
  const [state] = running?.agent.states() ?? [];
  if (running === undefined || state === undefined) return `${at}, its agent does not run`;
  const presence = presenceOf(state, running.process.host.monotonicMs());
  const slots = [...state.slots.values()].filter(({ holder }) => holder !== undefined).length;
  return `${at}, ${state.phase.name}${state.frozen ? ', frozen' : ''}: ${presence?.reason ?? 'ready'} (${slots} slots held)`;
}

function read<Value>(
  world: World,
  stream: string,
  subject: string,
  schema: z.ZodType<Value>,
): Value | undefined {
  const message = world.server.lastOf(stream, subject);
  if (message === undefined || message.deleted) return undefined;
  const value = decode(message.body, schema, RECORD_BYTES_MAX);
  return value.ok ? value.value : undefined;
}
