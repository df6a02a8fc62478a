/** I14: has the last rollout come to its end, and if not, where does it hang? */

import { presenceOf } from '@swell/agent/core/presence.ts';
import { shortDigest } from '@swell/shared/domain/image.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { describeWave, waveSchema } from '@swell/shared/protocol/orders.ts';
import { leaseSchema, RECORD_BYTES_MAX, serviceRecordSchema } from '@swell/shared/protocol/records.ts';
import { reportSchema } from '@swell/shared/protocol/reports.ts';
import { healthSubject, LEASE_KEY, rolloutKey, STREAMS, waveKey } from '@swell/shared/protocol/subjects.ts';
import type { z } from 'zod';
import type { NodeModel } from './node-model.ts';
import { digestOf, SERVICE, type SimulatedNode, type World } from './world.ts';

/** Of those that wait for the same. */
const NODES_NAMED_MAX = 4;

/** The rollout has ended, and everybody who is not gone for good runs its image. */
export function isOver(world: World, number: number | undefined, version: string): boolean {
  if (elsewhere(world, version).length > 0) return false;
  const rollout = presentRollout(world);
  return rollout !== undefined && rollout.release.rollout === number && !isUnderWay(rollout);
}

/** The rollout was halted, and rests; nobody runs any of these, but those that said that they cannot go back from it. */
export function hasBeenLeft(world: World, number: number | undefined, versions: readonly string[]): boolean {
  const rollout = presentRollout(world);
  if (rollout?.release.rollout !== number || rollout?.phase.name !== 'rested') return false;
  const digests = versions.map(digestOf);
  return world.nodes.every(({ isGone, model }) => {
    const running = model.running(SERVICE);
    const isLeft = running === undefined || !digests.includes(running);
    return isGone || isLeft || (running === digests.at(-1) && saysKept(world, model, rollout));
  });
}

function saysKept(world: World, { region, name }: NodeModel, { release }: Rollout): boolean {
  const report = read(world, STREAMS.health, healthSubject(region, SERVICE, name), reportSchema);
  // After that it may have refused what had settled before: it is past something that cannot be undone.
  if (report?.status === 'refused' && report.reason?.includes('cannot be undone') === true) return true;
  return report?.rollout === release.rollout && report.status === 'kept';
}

/** Where it hangs, in words: the coordinators, the rollout, the waves, and who is not there, by what he waits for. */
export function whatIsLeft(world: World, number: number | undefined, version: string): string {
  const rollout = presentRollout(world);
  const others = elsewhere(world, version);
  const waiting = [...Map.groupBy(others, whyNotThere)].map(([why, nodes]) => `${names(nodes)}: ${why}`);
  return [
    `rollout ${number} (${version}) has not come to its end`,
    whoLeads(world),
    rollout === undefined ? 'there is no rollout' : describeRollout(rollout),
    ...waves(world).map(describeWave),
    others.length === 0 ? 'every node runs it' : `${others.length} nodes elsewhere: ${waiting.join('; ')}`,
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

/** In its agent's words. */
function whyNotThere({ running }: SimulatedNode): string {
  const [state] = running?.agent.states() ?? [];
  if (running === undefined || state === undefined) return 'its agent does not run';
  const { reason = 'ready' } = presenceOf(state, running.process.host.monotonicMs()) ?? {};
  return `${state.phase.name}${state.frozen ? ', frozen' : ''}, ${reason}`;
}

function names(nodes: readonly SimulatedNode[]): string {
  const named = nodes.slice(0, NODES_NAMED_MAX).map(({ model }) => {
    const runs = model.running(SERVICE);
    return `${model.name} (on ${runs === undefined ? 'nothing' : shortDigest(runs)})`;
  });
  const more = nodes.length > named.length ? ` and ${nodes.length - named.length} more` : '';
  return `${named.join(', ')}${more}`;
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
