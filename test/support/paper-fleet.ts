/**
 * A fleet of nodes on paper: they show themselves and report as agents do, by plain publishes, and have nothing behind
 * them. They do at once what the standing orders let them, for as long as a test lets them through.
 */

import type { Bus, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { rankIn } from '@swell/shared/domain/rank.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import { admits, type Halt, isHalted, type Wave, wantsStaged } from '@swell/shared/domain/wave.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { haltSchema, waveSchema } from '@swell/shared/protocol/orders.ts';
import {
  ALL_ORDERS,
  healthSubject,
  nodeKey,
  parseOrderSubject,
  STREAMS,
} from '@swell/shared/protocol/subjects.ts';

export interface PaperNode {
  readonly region: Region;
  readonly node: NodeId;
  running: Digest;
  before: Digest;
  /** What it said last, so that nothing is said twice. */
  said: string;
  /** The rollout that it has tried and will not try again. */
  failedIn?: number;
}

export class PaperFleet implements Disposable {
  readonly nodes: readonly PaperNode[];
  readonly #bus: Bus;
  readonly #service: string;
  readonly #waves = new Map<Region, Wave>();
  readonly #watchers = new Set<() => void>();
  #halt: Halt | undefined;
  #reports = 0;
  /** How many more nodes may come through. */
  #passes = 0;
  #left = false;
  #acting = false;
  #again = false;

  constructor(bus: Bus, service: string, regions: Readonly<Record<Region, number>>, running: Digest) {
    this.#bus = bus;
    this.#service = service;
    this.nodes = Object.entries(regions).flatMap(([region, count]) =>
      Array.from({ length: count }, (_, index) => {
        const node = `${region}-${index + 1}`;
        return { region, node, running, before: running, said: '' };
      }),
    );
  }

  /** Everybody shows himself, and from now on follows the orders. */
  async join(): Promise<void> {
    for (const node of this.nodes) await this.#show(node);
    const orders = this.#bus.follow({ stream: STREAMS.orders, subjects: [ALL_ORDERS], from: 'last' });
    void (async () => {
      for await (const message of orders) this.#hear(message);
    })();
  }

  /** Lets so many more nodes come through with an update; all of them where no number is said. */
  pass(count = Number.POSITIVE_INFINITY): void {
    this.#passes = count;
    this.#act();
  }

  on(digest: Digest): number {
    return this.nodes.filter(({ running }) => running === digest).length;
  }

  /** Resolves once so many nodes, or more, run a digest. */
  async until(count: number, digest: Digest): Promise<void> {
    while (this.on(digest) < count) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  /** A node says that it has tried and failed. */
  async fail(failing: PaperNode, rollout: number): Promise<void> {
    failing.failedIn = rollout;
    const { region, node } = failing;
    await this.#report(region, node, rollout, 'failed', {
      attempt: `${rollout}.update.1`,
      reason: 'it crashed',
    });
  }

  /** Nobody says anything any more. */
  [Symbol.dispose](): void {
    this.#left = true;
  }

  #hear(message: StoredMessage): void {
    const place = parseOrderSubject(message.subject);
    if (place?.service !== this.#service) return;
    if (place.kind === 'halt') {
      const halt = message.deleted ? undefined : decode(message.body, haltSchema);
      this.#halt = halt?.ok === true ? halt.value : undefined;
    } else {
      const wave = decode(message.body, waveSchema);
      if (wave.ok) this.#waves.set(place.region, wave.value);
    }
    this.#act();
  }

  #act(): void {
    this.#again = true;
    if (this.#acting) return;
    this.#acting = true;
    void (async () => {
      while (this.#again && !this.#left) {
        this.#again = false;
        for (const node of this.nodes) await this.#step(node);
      }
      this.#acting = false;
    })().catch((error: unknown) => {
      if (!this.#left) throw error;
    });
  }

  async #step(node: PaperNode): Promise<void> {
    const wave = this.#waves.get(node.region);
    if (wave === undefined) return;
    const { release } = wave;
    const halt = this.#halt;
    const takesBack = halt !== undefined && halt.stay !== true && node.running === halt.digest;
    if (takesBack && release.image.digest !== halt.digest) {
      node.running = node.before;
      return this.#end(node, halt.rollout, 'returned', `${halt.rollout}.return.1`);
    }
    const isStopped = isHalted(halt, release) || wave.phase === 'halted' || wave.phase === 'aborted';
    const rank = rankIn(wave, node.node);
    if (isStopped || node.running === release.image.digest || node.failedIn === release.rollout) return;
    if (wantsStaged(wave, rank)) await this.#say(node, release.rollout, 'staged');
    if (!admits(wave, rank) || this.#passes <= 0) return;
    this.#passes -= 1;
    node.before = node.running;
    node.running = release.image.digest;
    await this.#end(node, release.rollout, 'healthy', `${release.rollout}.update.1`);
  }

  async #end(node: PaperNode, rollout: number, status: NodeStatus, attempt: string): Promise<void> {
    await this.#say(node, rollout, status, { attempt, running: node.running });
    await this.#show(node);
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }

  async #say(
    node: PaperNode,
    rollout: number,
    status: NodeStatus,
    more: Partial<NodeReport> = {},
  ): Promise<void> {
    const said = `${rollout}.${status}`;
    if (node.said === said) return;
    node.said = said;
    await this.#report(node.region, node.node, rollout, status, more);
  }

  async #report(
    region: Region,
    node: NodeId,
    rollout: number,
    status: NodeStatus,
    more: Partial<NodeReport>,
  ): Promise<void> {
    this.#reports += 1;
    const id = `${rollout}.${status}.${this.#reports}`;
    const report: NodeReport = { id, region, node, service: this.#service, rollout, status, ...more };
    const subject = healthSubject(region, this.#service, node);
    await this.#bus.publish({ subject, body: encode(report), line: `${node} ${status}`, id });
  }

  async #show({ region, node, running }: PaperNode): Promise<void> {
    const services = { [this.#service]: { running, phase: 'idle', ready: true } };
    await this.#bus.publish({
      subject: nodeKey(region, node),
      body: encode({ region, node, agentVersion: 'paper', services }),
      line: `${node} is here`,
    });
  }
}
