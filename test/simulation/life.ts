/** One world's life from its seed to its judgement. */

import { Agent } from '@swell/agent/shell/agent.ts';
import { isUnderWay } from '@swell/shared/domain/rollout.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { serviceRecordSchema } from '@swell/shared/protocol/records.ts';
import { rolloutKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { TrueViolation } from './judge/bench.ts';
import { People } from './people.ts';
import { Storm } from './storm.ts';
import { digestOf, SERVICE, World, type WorldOptions } from './world.ts';

export interface LifeOptions extends WorldOptions {
  /** How long the storm lasts. */
  readonly stormMs: number;
}

export interface Life {
  readonly seed: string;
  readonly violations: readonly TrueViolation[];
  readonly nodeUpdates: number;
  readonly simulatedMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly entries: number;
  readonly mostOut: number;
}

const CALM_MAX_MS = 2 * 3_600_000;
/** Messages of the last result still travel. */
const AFTERMATH_MS = 300_000;

export async function live(options: LifeOptions): Promise<Life> {
  const world = new World(options);
  const storm = new Storm(world);
  const people = new People(world);
  world.startAll();
  await world.run(60_000);
  people.begin();
  storm.begin();
  await world.run(options.stormMs);
  storm.end();
  if (world.truth.violations.length === 0) {
    await world.run(300_000);
    const last = people.last();
    const isOver = (): boolean => hasSettled(world, last) && everybodyRuns(world, people.lastVersion);
    const settled = await world.run(CALM_MAX_MS, isOver);
    if (!settled && world.truth.violations.length === 0)
      world.truth.break('I14', whatIsLeft(world, last, people.lastVersion));
    await world.run(AFTERMATH_MS);
    if (world.truth.violations.length === 0) world.finish();
  }
  return {
    seed: options.seed,
    violations: world.truth.violations,
    nodeUpdates: world.truth.updates,
    simulatedMs: world.nowMs - 1_750_000_000_000,
    faults: storm.struck,
    entries: world.judge.entries.length,
    mostOut: world.truth.mostOut,
  };
}

function record(world: World) {
  const message = world.server.lastOf(STREAMS.rollouts, rolloutKey(SERVICE));
  const read = message === undefined ? undefined : decode(message.body, serviceRecordSchema);
  return read?.ok === true ? read.value : undefined;
}

function hasSettled(world: World, number: number | undefined): boolean {
  const rollout = record(world)?.rollout;
  return rollout !== undefined && rollout.release.rollout === number && !isUnderWay(rollout);
}

function everybodyRuns(world: World, version: string): boolean {
  const digest = digestOf(version);
  return world.nodes.every(({ isGone, model }) => isGone || model.running(SERVICE) === digest);
}

/** I14, in words: where it hangs. */
function whatIsLeft(world: World, number: number | undefined, version: string): string {
  const rollout = record(world)?.rollout;
  const others = world.nodes.filter(
    ({ isGone, model }) => !isGone && model.running(SERVICE) !== digestOf(version),
  );
  const phases = others.slice(0, 8).map(({ model, running }) => {
    const agent =
      running !== undefined && 'agent' in running && running.agent instanceof Agent
        ? running.agent
        : undefined;
    const state = agent?.states()[0];
    return `${model.name} (${model.region}) runs ${model.running(SERVICE)?.slice(7, 15)}, phase ${state?.phase.name ?? 'none'}`;
  });
  return (
    `rollout ${number} has not come to its end: ${JSON.stringify(rollout?.phase)} paused ${JSON.stringify(rollout?.paused)} ` +
    `of rollout ${rollout?.release.rollout}, ${others.length} nodes elsewhere: ${phases.join('; ')}`
  );
}
