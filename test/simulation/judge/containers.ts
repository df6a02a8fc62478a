/**
 * What really runs on the nodes: after each attempt the one container that its result speaks of (I9), of the image that was
 * ordered (I11). What cannot be undone stays once it has been started, whatever is said, and nothing earlier comes after it.
 */

import type { MemoryContainer } from '@swell/agent/adapters/memory-engine.ts';
import type { Attempt } from '@swell/agent/core/state.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import { shortDigest } from '@swell/shared/domain/image.ts';
import type { NodeId, ServiceName } from '@swell/shared/domain/names.ts';
import type { Result } from '@swell/shared/domain/report.ts';
import type { NodeModel } from '../node-model.ts';
import type { Bench, Concern } from './bench.ts';
import type { Orders } from './orders.ts';
import type { Start } from './start.ts';

/** A swap that has been cut over. */
interface Cut {
  readonly attempt: string;
  readonly old: Digest | undefined;
  readonly fresh: Digest | undefined;
  /** What it leaves was halted, as its agent knew, and not what the fleet had settled on: nothing to go back to. */
  readonly leavesHalted: boolean;
  /** Nobody goes back from it. */
  readonly isOneWay: boolean;
}

export class Containers {
  readonly #bench: Bench;
  readonly #orders: Orders;
  readonly #service: ServiceName;
  readonly #cuts = new Map<NodeId, Cut>();
  /** The images that each node has been well on and may go back to, the newest last. */
  readonly #good = new Map<NodeId, readonly Digest[]>();

  /** The last rollout that cannot be undone, where it has been started. */
  readonly #passed = new Map<NodeId, { readonly rollout: number; readonly digest: Digest | undefined }>();

  constructor(bench: Bench, orders: Orders, service: ServiceName) {
    this.#bench = bench;
    this.#orders = orders;
    this.#service = service;
  }

  /** Somebody put a container there by hand. */
  byHand(model: NodeModel): void {
    this.#cuts.delete(model.name);
    this.#good.delete(model.name);
    this.#passed.delete(model.name);
  }

  cutOver(model: NodeModel, start: Start): void {
    const swap = model.containers.swaps.get(this.#service);
    if (swap === undefined) return;
    const [old, fresh] = [swap.old.digest, swap.fresh.digest];
    const isPassed = this.#passed.has(model.name) && this.#passed.get(model.name)?.digest === old;
    const isBad = start.halt !== undefined && start.halt.settledAs === undefined;
    const leavesHalted = isBad && start.halt.digest === old && !isPassed;
    const isOneWay = start.attempt.irreversible === true;
    this.#cuts.set(model.name, { attempt: swap.attempt, old, fresh, leavesHalted, isOneWay });
    if (start.attempt.kind === 'update') this.#judgeForth(start, fresh);
    else this.#judgeBack(start, old, fresh);
  }

  /** I11. Of the digest that its rollout was first ordered with. */
  #judgeForth(start: Start, fresh: Digest | undefined): void {
    const { node, attempt } = start;
    this.#bench.judged('I11');
    const passed = this.#passed.get(node)?.rollout ?? 0;
    if (attempt.rollout < passed)
      this.#bench.break(
        'I5',
        `${node} goes to rollout ${attempt.rollout}, though rollout ${passed} cannot be undone`,
        concernOf(start),
      );
    const ordered = this.#orders.digestsOf(attempt.rollout);
    if (fresh !== undefined && ordered.has(fresh) && fresh === attempt.digest) return;
    const what = [...ordered].map(name).join(' or ') || name(undefined);
    const message = `${node} starts ${name(fresh)} in attempt ${attempt.id}, ordered is ${what}`;
    this.#bench.break('I11', message, concernOf(start));
  }

  /** I5. The last one that it was well on and that was not taken back; I11: one at least that it was well on. */
  #judgeBack(start: Start, left: Digest | undefined, fresh: Digest | undefined): void {
    const { node, attempt } = start;
    const good = this.#good.get(node)?.filter((digest) => digest !== left);
    if (good === undefined) return;
    this.#bench.judged('I5');
    this.#bench.judged('I11');
    if (fresh !== undefined && fresh === good.at(-1)) return;
    const rule = fresh !== undefined && good.includes(fresh) ? 'I5' : 'I11';
    const message = `${node} goes back to ${name(fresh)} in attempt ${attempt.id}, its last good one is ${name(good.at(-1))}`;
    this.#bench.break(rule, message, concernOf(start));
  }

  /** Its agent's journal is gone: of a swap that was over nobody will say how it ended, but what runs tells. */
  forgets(model: NodeModel): void {
    const cut = this.#cuts.get(model.name);
    if (cut === undefined || model.containers.swaps.has(this.#service)) return;
    this.#cuts.delete(model.name);
    const isOnFresh = model.containers.container(this.#service)?.digest === cut.fresh;
    const kind = cut.attempt.includes('.return.') ? 'return' : 'update';
    this.#remember(model.name, cut, isOnFresh ? kind : 'back');
  }

  /** An attempt has ended with this result, as its agent sees it. */
  ended(model: NodeModel, { id, kind, rollout }: Attempt, result: Result): void {
    const concern = { region: model.region, node: model.name, rollout };
    const container = model.containers.container(this.#service);
    const left = model.containers.swaps.get(this.#service);
    this.#bench.judged('I9');
    if (left?.attempt === id)
      this.#bench.break('I9', `${model.name} says ${result} of attempt ${id}, which is half done`, concern);
    const cut = this.#cuts.get(model.name);
    if (cut?.attempt !== id) return;
    this.#cuts.delete(model.name);
    const isPast = cut.isOneWay && model.started.has(id);
    if (isPast) this.#passed.set(model.name, { rollout, digest: cut.fresh });
    const isOnFresh = isPast || (kind === 'update' ? result === 'healthy' : result === 'returned');
    this.#compare(container, isOnFresh ? cut.fresh : cut.old, concern, `${result} of attempt ${id}`);
    this.#remember(model.name, cut, isOnFresh ? kind : 'back');
  }

  /** With everything healed and settled. */
  atRest(model: NodeModel): void {
    const concern = { region: model.region, node: model.name };
    this.#bench.judged('I9');
    // It waits for a newer release, or to be mended.
    const swap = model.containers.swaps.get(this.#service);
    if (swap?.irreversible === true && model.started.has(swap.attempt)) return;
    if (model.containers.swaps.size > 0)
      this.#bench.break('I9', `${model.name} has a swap half done, at rest`, concern);
    if (model.running(this.#service) === undefined)
      this.#bench.break('I9', `${model.name} runs nothing, at rest`, concern);
  }

  #compare(
    container: MemoryContainer | undefined,
    expected: Digest | undefined,
    concern: Concern,
    after: string,
  ): void {
    if (container?.digest === expected) return;
    const found = container === undefined ? 'nothing' : name(container.digest);
    this.#bench.break('I9', `${concern.node} has ${found} after ${after}, not ${name(expected)}`, concern);
  }

  #remember(node: NodeId, { old, fresh, leavesHalted }: Cut, how: 'update' | 'return' | 'back'): void {
    const good = this.#good.get(node) ?? (old === undefined ? [] : [old]);
    const isLeft = how === 'return' || (how === 'update' && leavesHalted);
    const kept = isLeft ? good.filter((digest) => digest !== old) : good;
    const isNew = how === 'update' && fresh !== undefined;
    this.#good.set(node, isNew ? [...kept.filter((digest) => digest !== fresh), fresh] : kept);
  }
}

function name(digest: Digest | undefined): string {
  return digest === undefined ? 'an image without a digest' : shortDigest(digest);
}

function concernOf({ region, node, attempt }: Start): Concern {
  return { region, node, rollout: attempt.rollout };
}
