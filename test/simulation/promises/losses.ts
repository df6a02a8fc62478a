/** I7. Nobody loses a slot who is there to renew it, and nobody's slot is taken from him without a word. */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import { type Scene, TOLD_WITHIN_MS } from './scene.ts';

/** By then whoever missed anything has looked again. */
const LOOKED_AGAIN_MS = 90_000;
/** Whoever has been dead for so long has nothing on its way any more. */
const DEAD_MS = 60_000;

type SlotEntry = Extract<LogEntry, { kind: 'slot' }>;

export class Losses {
  readonly #scene: Scene;
  /** The last write of each slot's holder. */
  readonly #held = new Map<string, { readonly node: NodeId; readonly revision: number }>();
  /** Of slots that were declared cleared: the revisions that the events name. */
  readonly #cleared = new Set<string>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  slot({ region, slot, revision, holder }: SlotEntry): void {
    const key = `${region}/${slot}`;
    const before = this.#held.get(key);
    if (holder !== undefined) this.#held.set(key, { node: holder.node, revision });
    else this.#held.delete(key);
    const { bench, calm, after } = this.#scene;
    if (holder !== undefined || before === undefined) return;
    const { nowMs } = bench;
    if (!calm.isBusCalm(DEAD_MS, nowMs) || !calm.isAgentDead(before.node, DEAD_MS, nowMs)) return;
    after(TOLD_WITHIN_MS, () => this.#judgeTold(`${key}/${before.revision}`, before.node, region));
  }

  event({ name, region, node, slot, rollout, revision }: FleetEvent): void {
    if (name === 'slot-cleared') this.#cleared.add(`${region}/${slot}/${revision}`);
    if (name !== 'slot-lost' || node === undefined) return;
    const { bench, calm } = this.#scene;
    const { nowMs } = bench;
    bench.judged('I7');
    if (!calm.isBusWritten(LOOKED_AGAIN_MS, nowMs) || !calm.isNodeCalm(node, LOOKED_AGAIN_MS, nowMs)) return;
    bench.break('I7', `${node} loses slot ${slot} of ${region}, though nothing kept it from renewing it`, {
      region,
      node,
      rollout,
    });
  }

  /** Who was dead has not freed it himself. */
  #judgeTold(write: string, node: NodeId, region: string): void {
    const { bench } = this.#scene;
    bench.judged('I7');
    if (this.#cleared.has(write)) return;
    bench.break('I7', `what ${node}, whose agent was dead, held as ${write} was cleared without a word`, {
      region,
      node,
    });
  }
}
