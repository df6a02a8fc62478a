/** I14: has the last rollout come to its end, and if not, where does it hang? */

import { presenceOf } from '@swell/agent/core/presence.ts';
import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { describeWave, waveSchema } from '@swell/shared/protocol/orders.ts';
import { leaseSchema, RECORD_BYTES_MAX, serviceRecordSchema } from '@swell/shared/protocol/records.ts';
import { reportSchema } from '@swell/shared/protocol/reports.ts';
import { healthSubject, LEASE_KEY, rolloutKey, STREAMS, waveKey } from '@swell/shared/protocol/subjects.ts';
import type { z } from 'zod';
import type { Delivery } from './deliveries.ts';
import type { NodeModel } from './node-model.ts';
import type { SimulatedNode, World } from './world.ts';

/** Of those that wait for the same. */
const NODES_NAMED_MAX = 4;

/** The rollout has ended, and everybody who is not gone for good runs its image. */
export function isOver(world: World, { service, rollout: number, digest }: Delivery): boolean {
  if (elsewhere(world, service, digest).length > 0) return false;
  const rollout = presentRollout(world, service);
  if (rollout === undefined || isUnderWay(rollout)) return false;
  const { release } = rollout;
  return number === 'of its tag' ? release.image.digest === digest : release.rollout === number;
}

/** The rollout was halted, and rests; nobody runs any of these, but those that said that they cannot go back from it. */
export function hasBeenLeft(
  world: World,
  { service, rollout: number, digest }: Delivery,
  before: Delivery,
): boolean {
  const rollout = presentRollout(world, service);
  if (rollout?.release.rollout !== number || rollout?.phase.name !== 'rested') return false;
  return hostsOf(world, service).every(({ isGone, model }) => {
    const running = model.running(service);
    const isLeft = running !== digest && running !== before.digest;
    return isGone || isLeft || (running === digest && saysKept(world, service, model, rollout));
  });
}

function saysKept(
  world: World,
  service: ServiceName,
  { region, name }: NodeModel,
  { release }: Rollout,
): boolean {
  const report = read(world, STREAMS.health, healthSubject(region, service, name), reportSchema);
  // After that it may have refused what had settled before: it is past something that cannot be undone.
  if (report?.status === 'refused' && report.reason?.includes('cannot be undone') === true) return true;
  return report?.rollout === release.rollout && report.status === 'kept';
}

/** Where it hangs, in words: the coordinators, the rollout, the waves, and who is not there, by what he waits for. */
export function whatIsLeft(world: World, { service, rollout: number, version, digest }: Delivery): string {
  const rollout = presentRollout(world, service);
  const others = elsewhere(world, service, digest);
  const waiting = [...Map.groupBy(others, (node) => whyNotThere(node, service))].map(
    ([why, nodes]) => `${names(nodes, service)}: ${why}`,
  );
  return [
    `rollout ${number} of ${service} (${version}) has not come to its end`,
    whoLeads(world),
    rollout === undefined ? 'there is no rollout' : describeRollout(rollout),
    ...waves(world, service).map(describeWave),
    others.length === 0 ? 'every node runs it' : `${others.length} nodes elsewhere: ${waiting.join('; ')}`,
  ].join('. ');
}

/** Those that its releases are for. */
function hostsOf({ nodes }: World, service: ServiceName): readonly SimulatedNode[] {
  return nodes.filter(({ model }) => model.hosts.has(service) && model.isWhole(service));
}

function elsewhere(world: World, service: ServiceName, digest: Digest): readonly SimulatedNode[] {
  return hostsOf(world, service).filter(({ isGone, model }) => !isGone && model.running(service) !== digest);
}

/** The rollout that the bus shows, past every program. */
export function presentRollout(world: World, service: ServiceName): Rollout | undefined {
  return read(world, STREAMS.rollouts, rolloutKey(service), serviceRecordSchema)?.rollout;
}

function describeRollout({ release, phase, paused }: Rollout): string {
  const over = paused === undefined ? '' : `, paused: ${paused.reason}`;
  return `rollout ${release.rollout} (${release.version}) is ${phase.name}${over}`;
}

function waves(world: World, service: ServiceName): readonly Wave[] {
  const regions = [...new Set(world.nodes.map(({ model }) => model.region))];
  return regions.flatMap((region) => read(world, STREAMS.orders, waveKey(region, service), waveSchema) ?? []);
}

function whoLeads(world: World): string {
  const lease = read(world, STREAMS.rollouts, LEASE_KEY, leaseSchema);
  const running = world.coordinators.filter((one) => one.running !== undefined).map(({ name }) => name);
  const leads = lease === undefined ? 'nobody leads' : `${lease.coordinator} leads in term ${lease.term}`;
  return `${leads}, coordinators that run: ${running.join(', ') || 'none'}`;
}

/** In its agent's words. */
function whyNotThere({ running }: SimulatedNode, service: ServiceName): string {
  const state = running?.agent.states().find(({ self }) => self.service === service);
  if (running === undefined || state === undefined) return 'its agent does not run';
  const { reason = 'ready' } = presenceOf(state, running.process.host.monotonicMs()) ?? {};
  return `${state.phase.name}${state.frozen ? ', frozen' : ''}, ${reason}`;
}

function names(nodes: readonly SimulatedNode[], service: ServiceName): string {
  const named = nodes.slice(0, NODES_NAMED_MAX).map(({ model }) => {
    const runs = model.running(service);
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
