/**
 * What happens in a region of two machines, told to the world's truth by hand: one wave, two slots, each node on v1. A
 * test tells a good story and lets one thing in it go wrong.
 */

import { MemoryEngine, MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import {
  type Attempt,
  EMPTY_JOURNAL,
  newService,
  type ServiceState,
  withJournal,
} from '@swell/agent/core/state.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { LogEntry, LogRecord } from '@swell/shared/domain/log.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import type { NodeReport, Result } from '@swell/shared/domain/report.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import { HEALTH, LEASE_MS, newWave } from '../../support/agent-story.ts';
import { Ailments } from '../ailments.ts';
import { Chance } from '../chance.ts';
import { NodeModel } from '../node-model.ts';
import { VirtualTime } from '../time.ts';
import { Truth } from '../truth.ts';
import { Bench } from './bench.ts';

const SERVICE = 'web';
const REGION = 'eu';
export const digestOf = (rollout: number): Digest => `sha256:${String(rollout).padEnd(64, '0')}`;

/** An attempt of one of the machines, by the slot that it claimed. */
export interface Turn {
  readonly model: NodeModel;
  readonly attempt: Attempt;
  readonly slot: number;
}

export class TruthStory {
  readonly time = new VirtualTime(1_000_000);
  readonly truth: Truth;
  readonly n1: NodeModel;
  readonly n2: NodeModel;
  readonly n3: NodeModel;
  /** Undefined while something outside stops it. */
  calmSinceMs: number | undefined = 0;
  #revision = 0;
  wave = { revision: 0, order: newWave() };
  halt: { readonly revision: number; readonly order: Halt } | undefined;

  constructor() {
    this.truth = new Truth(new Bench(this.time), this.time, SERVICE, () => this.calmSinceMs);
    [this.n1, this.n2, this.n3] = ['n1', 'n2', 'n3'].map((name) => this.#machine(name)) as [
      NodeModel,
      NodeModel,
      NodeModel,
    ];
    this.order();
  }

  get broken(): readonly string[] {
    return this.truth.violations.map(({ rule, message }) => `${rule} ${message}`);
  }

  async pass(ms: number): Promise<this> {
    await this.time.run(this.time.nowMs + ms);
    return this;
  }

  /** Rollout 7 by default, open to everybody, two slots. */
  order(change: Partial<Wave> & { readonly rollout?: number } = {}): this {
    const { rollout = 7, ...rest } = change;
    const order = newWave({ rollout, digest: digestOf(rollout), slots: 2, ...rest });
    this.wave = { revision: this.#store({ kind: 'wave', revision: this.#revision + 1, wave: order }), order };
    return this;
  }

  stop(rollout = 7): this {
    const order = {
      service: SERVICE,
      rollout,
      digest: digestOf(rollout),
      version: `v${rollout}`,
      reason: 'bad',
    };
    const revision = this.#store({
      kind: 'halt',
      service: SERVICE,
      revision: this.#revision + 1,
      halt: order,
    });
    this.halt = { revision, order };
    return this;
  }

  claim(model: NodeModel, slot: number, change: Partial<Attempt> = {}): Turn {
    const { rollout, image } = this.wave.order.release;
    const kind = change.kind ?? 'update';
    const id = `${rollout}.${kind}.${model.name}-${this.#revision}`;
    const attempt: Attempt = {
      id,
      kind,
      rollout,
      digest: image.digest,
      health: HEALTH,
      leaseMs: LEASE_MS,
      drain: DEFAULT_POLICY.drain,
      rejoin: DEFAULT_POLICY.rejoin,
      ...change,
    };
    this.#slot(slot, { node: model.name, rollout, attempt: attempt.id, leaseMs: LEASE_MS });
    return { model, attempt, slot };
  }

  free(slot: number): this {
    this.#slot(slot);
    return this;
  }

  pulse({ name }: NodeModel): this {
    const pulse = { atMs: 0, term: 1, wave: this.wave.revision, halt: 0 };
    const before = newService({ region: REGION, node: name, service: SERVICE }, EMPTY_JOURNAL);
    this.#handled(name, before, { ...before, pulse }, { kind: 'pulse-heard', term: 1, wave: 1, halt: 0 });
    return this;
  }

  /** The agent hears the halt that stands. */
  hear({ name }: NodeModel): this {
    const before = newService({ region: REGION, node: name, service: SERVICE }, EMPTY_JOURNAL);
    if (this.halt === undefined) throw new Error('there is no halt to hear');
    this.#handled(name, before, { ...before, halt: this.halt }, { kind: 'connected' });
    return this;
  }

  /** The step in which an agent finds that it may begin. */
  start({ model, attempt, slot }: Turn, wave = this.wave): this {
    const lease = { slot, revision: 1, untilMs: 0 };
    const order = {
      service: SERVICE,
      attempt: attempt.id,
      target: { kind: 'last-good' },
      lastGood: 'running',
    } as const;
    const checking: ServiceState = {
      ...newService({ region: REGION, node: model.name, service: SERVICE }, EMPTY_JOURNAL),
      wave,
      ...(this.halt !== undefined && { halt: this.halt }),
      phase: { name: 'checking', attempt, lease, fence: 1 },
    };
    const preparing = withJournal(
      { ...checking, phase: { name: 'preparing', attempt, lease, order } },
      { attempt },
    );
    this.#handled(model.name, checking, preparing, { kind: 'connected' });
    return this;
  }

  /** The old container stops: `digest` says what the engine really prepared. */
  async cutOver({ model, attempt }: Turn, digest = attempt.digest): Promise<this> {
    model.containers.images.add(digest ?? '');
    const engine = new MemoryEngine(model.containers);
    const image = { repository: 'registry.example/web', digest: digest ?? '' };
    await engine.prepareSwap({
      service: SERVICE,
      attempt: attempt.id,
      target: { kind: 'release', image },
      lastGood: 'running',
    });
    this.truth.wentOut(model, attempt.id);
    await engine.cutOver(SERVICE);
    return this;
  }

  /** The engine's part is over, forward or back. */
  async commit({ model }: Turn): Promise<this> {
    await new MemoryEngine(model.containers).commitSwap(SERVICE);
    this.truth.cameBack(model);
    return this;
  }

  async undo({ model }: Turn): Promise<this> {
    await new MemoryEngine(model.containers).undoSwap(SERVICE);
    this.truth.cameBack(model);
    return this;
  }

  /** The step in which an agent's attempt ends. */
  end({ model, attempt }: Turn, result: Result): this {
    const { id, rollout } = attempt;
    const self = { region: REGION, node: model.name, service: SERVICE };
    const report: NodeReport = { id: `${id}.${result}`, ...self, rollout, status: result, attempt: id };
    const before = newService(self, { ...EMPTY_JOURNAL, attempt });
    const after = newService(self, { ...EMPTY_JOURNAL, outbox: [report] });
    this.#handled(
      model.name,
      before,
      { ...after, phase: { name: 'idle' } },
      { kind: 'swap-committed', digests: [] },
    );
    return this;
  }

  /** All of a good update. */
  async update(model: NodeModel, slot = 0): Promise<this> {
    const turn = this.pulse(model).claim(model, slot);
    await (await this.start(turn).cutOver(turn)).commit(turn);
    return this.end(turn, 'healthy').free(slot);
  }

  #handled(
    name: string,
    before: ServiceState,
    after: ServiceState,
    event: Parameters<Truth['agentHandled']>[1],
  ): void {
    const model = [this.n1, this.n2, this.n3].find((one) => one.name === name);
    if (model === undefined) throw new Error(`there is no ${name}`);
    this.truth.agentHandled(model, event, before, after);
  }

  #slot(slot: number, holder?: Extract<LogRecord, { kind: 'slot' }>['holder']): void {
    const revision = this.#revision + 1;
    this.#store({
      kind: 'slot',
      region: REGION,
      service: SERVICE,
      slot,
      revision,
      ...(holder !== undefined && { holder }),
    });
  }

  #store(record: LogRecord): number {
    this.#revision += 1;
    const { nowMs } = this.time;
    const entry: LogEntry = { sequence: this.#revision, atMs: nowMs, ...record };
    this.truth.stored(entry);
    return this.#revision;
  }

  #machine(name: string): NodeModel {
    const containers = new MemoryNode({ [SERVICE]: { up: true, digest: digestOf(1) } });
    const ground = {
      time: this.time,
      chance: new Chance(name),
      ailments: new Ailments(),
      witness: this.truth,
    };
    return new NodeModel({ region: REGION, name }, containers, ground);
  }
}
