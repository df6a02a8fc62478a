/** A small calm world in which one story is played again: what a seed of the storm found, without the rest of its storm. */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { readShapes } from '../bus/definition.ts';
import { releaseNext } from '../deliveries.ts';
import { profileOf } from '../profile.ts';
import { digestOf, SERVICE, World } from '../world.ts';
import { brokenIn } from './broken.ts';

const SHAPES = await readShapes();
const FOUND_WITHIN_MS = 60_000;
const TURN_MS = 10;

/** One stage, opened at once, with room for one node of a region at a time. */
const POLICY = {
  stages: [100],
  approval: 'automatic',
  maxUnavailable: 1,
  stagingQuorum: '50%',
  stagingSpread: '1s',
  soak: '0s',
  failureBudget: { max: '90%', minSample: 100 },
  regions: 'parallel',
  slotLease: '30s',
  health: { interval: '1s', minHealthyTime: '10s', healthyDeadline: '1m' },
};

export interface StageOptions {
  readonly nodes?: number;
  readonly seed?: string;
  readonly policy?: object;
  /** Of each node that has any. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

export class Stage {
  readonly world: World;

  private constructor(world: World) {
    this.world = world;
  }

  /** Programs run, and the first policy is in force. */
  static async open({
    nodes = 3,
    seed = 'scenario',
    policy = {},
    labels = {},
  }: StageOptions = {}): Promise<Stage> {
    const world = new World({ seed, nodes, profile: profileOf('scenario', {}), shapes: SHAPES });
    const stage = new Stage(world);
    for (const { model } of world.nodes) model.labels = labels[model.name] ?? [];
    world.startAll();
    await world.run(FOUND_WITHIN_MS);
    stage.policy(policy);
    return stage;
  }

  policy(change: object): void {
    this.world.policy({ ...POLICY, ...change });
  }

  /** A new image for everybody; its rollout's number. */
  release(): number {
    const rollout = releaseNext(this.world);
    if (rollout === undefined) throw new Error('the bus takes no release');
    return rollout;
  }

  /** Lets time pass until something is so. Fails where it does not come to be, or where a rule is broken on the way. */
  async until(what: string, isSo: () => boolean, withinMs = 900_000): Promise<void> {
    const endMs = this.world.nowMs + withinMs;
    while (!isSo()) {
      if (this.world.nowMs >= endMs) throw new Error(`it never came to be: ${what}`);
      await this.world.run(TURN_MS);
      const [violation] = this.world.truth.violations;
      if (violation !== undefined) throw new Error(`${violation.rule}, before ${what}: ${violation.message}`);
    }
  }

  /** Everybody who is there runs the newest image, and nothing is half done. */
  async untilSettled(): Promise<void> {
    const digest = digestOf(`v${this.world.registry.tags.size}`);
    await this.until('everybody runs the newest image', () =>
      this.world.nodes.every(
        ({ isGone, model }) => isGone || (model.running(SERVICE) === digest && !model.isInTheMiddle),
      ),
    );
  }

  /** All that the streams of the log have taken, in order. */
  get entries(): readonly LogEntry[] {
    return this.world.judge.entries;
  }

  get waves(): readonly Wave[] {
    return this.entries.flatMap((entry) => (entry.kind === 'wave' ? [entry.wave] : []));
  }

  get reports(): readonly NodeReport[] {
    return this.entries.flatMap((entry) => (entry.kind === 'report' ? [entry.report] : []));
  }

  /** When each update began, in order: the simulated time, in ms since 1970. */
  get starts(): readonly (readonly [node: string, atMs: number])[] {
    return this.entries.flatMap((entry) =>
      entry.kind === 'report' && entry.report.status === 'updating'
        ? [[entry.report.node, entry.atMs] as const]
        : [],
    );
  }

  /** At rest: what is broken of the rules, by what really is and by the log. */
  broken(): readonly string[] {
    this.world.finish();
    return [...this.world.truth.violations, ...brokenIn(this.entries)].map(
      ({ rule, message }) => `${rule}: ${message}`,
    );
  }

  /** Who runs the image of a tag, in order of names. */
  on(tag: string): readonly string[] {
    const there = this.world.nodes.filter(({ model }) => model.running(SERVICE) === digestOf(tag));
    return there.map(({ model }) => model.name).sort();
  }

  /** How often it was. */
  told(name: FleetEvent['name']): number {
    return this.entries.filter((entry) => entry.kind === 'event' && entry.event.name === name).length;
  }

  hasTold(name: FleetEvent['name']): boolean {
    return this.told(name) > 0;
  }
}
