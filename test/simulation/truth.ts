/**
 * What really is, and the rules as far as only that shows them: who is out of rotation by our doing (I1), how many
 * containers there are and of which image (I5, I9). Programs may believe what they like.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { waveSchema } from '@swell/shared/protocol/orders.ts';
import { eventSchema } from '@swell/shared/protocol/records.ts';
import { eventSubject, parseOrderSubject } from '@swell/shared/protocol/subjects.ts';
import type { NodeModel, Witness } from './node-model.ts';
import type { VirtualTime } from './time.ts';

export interface TrueViolation {
  readonly rule: string;
  readonly atMs: number;
  readonly message: string;
}

interface RegionTruth {
  /** Nodes out of rotation, each with its attempt. */
  readonly out: Map<NodeId, string>;
  /** Nodes whose slot was declared lost while they were out: charged to the failure budget instead. */
  readonly lost: Set<NodeId>;
  /** The slots of the newest wave, and the most that any wave allowed since nobody was out. */
  slots: number;
  allowed: number;
}

export class Truth implements Witness {
  readonly violations: TrueViolation[] = [];
  /** Times that a node has gone out for another image. */
  updates = 0;
  checks = 0;
  mostOut = 0;
  readonly #time: VirtualTime;
  readonly #regions = new Map<Region, RegionTruth>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  wentOut(node: NodeModel, attempt: string): void {
    const region = this.#region(node.region);
    if (region.out.size === 0) region.allowed = region.slots;
    if (region.out.get(node.name) === attempt) return;
    region.out.set(node.name, attempt);
    region.lost.delete(node.name);
    this.updates += 1;
    this.#checkUnavailable(node.region, region);
  }

  cameBack(node: NodeModel): void {
    const region = this.#region(node.region);
    region.out.delete(node.name);
    region.lost.delete(node.name);
  }

  /** Orders and events say how many may be out, and who is counted elsewhere. */
  see(message: StoredMessage): void {
    if (parseOrderSubject(message.subject)?.kind === 'wave') {
      const wave = decode(message.body, waveSchema);
      if (!wave.ok) return this.break('wire', `a wave does not parse: ${wave.problems.join('; ')}`);
      const region = this.#region(wave.value.region);
      region.slots = wave.value.slots;
      region.allowed = Math.max(region.allowed, wave.value.slots);
    }
    if (message.subject === eventSubject(message.subject.split('.')[2] ?? '', 'slot-lost')) {
      const event = decode(message.body, eventSchema);
      if (!event.ok || event.value.region === undefined || event.value.node === undefined) return;
      this.#region(event.value.region).lost.add(event.value.node);
    }
  }

  break(rule: string, message: string): void {
    this.violations.push({ rule, atMs: this.#time.nowMs, message });
  }

  #checkUnavailable(name: Region, region: RegionTruth): void {
    this.checks += 1;
    const counted = [...region.out.keys()].filter((node) => !region.lost.has(node));
    this.mostOut = Math.max(this.mostOut, counted.length);
    if (counted.length <= region.allowed) return;
    this.break(
      'I1',
      `${counted.length} nodes of ${name} are out (${counted.join(', ')}), ${region.allowed} may be`,
    );
  }

  #region(name: Region): RegionTruth {
    let region = this.#regions.get(name);
    if (region === undefined) {
      region = { out: new Map(), lost: new Set(), slots: 0, allowed: 0 };
      this.#regions.set(name, region);
    }
    return region;
  }
}
