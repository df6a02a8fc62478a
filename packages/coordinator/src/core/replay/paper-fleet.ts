/**
 * The recorded fleet, living again: nodes that download, take their turn through slots and end as the log says they did.
 * It knows orders and answers with reports; what else an agent does leaves no trace in a verdict.
 */

import { heldBy } from '@swell/shared/domain/hold.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import { rankIn } from '@swell/shared/domain/rank.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import { admits, type Wave, wantsStaged } from '@swell/shared/domain/wave.ts';
import type { RecordedNode, Taken } from './recording.ts';

/** What a node does next, and when. */
export interface Due {
  readonly atMs: number;
  readonly member: Member;
  readonly does: 'stage' | 'end';
}

/** A node that began, and whose slot's lease is never renewed. */
export interface LostClaim {
  readonly region: Region;
  readonly slot: number;
  readonly node: string;
  readonly attempt: string;
  readonly leaseMs: number;
}

interface Member {
  readonly at: RecordedNode;
  readonly taken: Exclude<Taken, { is: 'unrecorded' }>;
  is: 'waiting' | 'staging' | 'staged' | 'underway' | 'over';
  slot?: number;
}

/** What came of looking at the orders once. */
export interface Acts {
  readonly reports: readonly NodeReport[];
  readonly lost: readonly LostClaim[];
  readonly due: readonly Due[];
}

export interface PaperFleetOptions {
  readonly service: ServiceName;
  readonly rollout: number;
  readonly digest: Digest;
  readonly nodes: readonly RecordedNode[];
  /** How a node takes the release of which the log does not tell. */
  readonly unrecorded: Extract<Taken, { is: 'healthy' }>;
}

export class PaperFleet {
  readonly #options: PaperFleetOptions;
  readonly #regions = new Map<Region, Member[]>();
  readonly #waves = new Map<Region, Wave>();
  readonly #held = new Map<Region, Set<number>>();
  #said = 0;

  constructor(options: PaperFleetOptions) {
    this.#options = options;
    for (const at of options.nodes) {
      const taken = at.taken.is === 'unrecorded' ? options.unrecorded : at.taken;
      const members = this.#regions.get(at.region) ?? [];
      members.push({ at, taken, is: at.running === options.digest ? 'over' : 'waiting' });
      this.#regions.set(at.region, members);
    }
  }

  /** An order for a region; of another rollout it lets nobody start. */
  hear(wave: Wave): void {
    const before = this.#waves.get(wave.region);
    this.#waves.set(wave.region, wave);
    const isDrawn = before?.seed === wave.seed && before.canaries?.join() === wave.canaries?.join();
    if (!isDrawn)
      this.#regions.get(wave.region)?.sort((a, b) => rankIn(wave, a.at.node) - rankIn(wave, b.at.node));
  }

  /** The coordinator has cleared a slot. */
  clear(region: Region, slot: number): void {
    this.#held.get(region)?.delete(slot);
  }

  /** Everybody looks at his orders, in line. */
  look(nowMs: number): Acts {
    const [reports, lost, due]: [NodeReport[], LostClaim[], Due[]] = [[], [], []];
    for (const [region, wave] of this.#waves) {
      if (wave.release.rollout !== this.#options.rollout) continue;
      for (const member of this.#regions.get(region) ?? []) {
        if (member.is === 'over' || member.is === 'underway' || member.is === 'staging') continue;
        const rank = rankIn(wave, member.at.node);
        if (member.is === 'waiting' && (wantsStaged(wave, rank) || admits(wave, rank))) {
          const refused = this.#refusal(member, wave);
          member.is = refused === undefined ? 'staging' : 'over';
          if (refused !== undefined) reports.push(refused);
          else due.push({ atMs: nowMs + wave.stagingSpreadMs, member, does: 'stage' });
        } else if (member.is === 'staged' && admits(wave, rank)) {
          const slot = this.#claim(region, wave.slots);
          if (slot === undefined) break;
          Object.assign(member, { is: 'underway', slot });
          reports.push(this.#report(member, 'updating'));
          if (member.taken.is === 'healthy' || member.taken.is === 'failed')
            due.push({ atMs: nowMs + member.taken.afterMs, member, does: 'end' });
          else
            lost.push({
              region,
              slot,
              node: member.at.node,
              attempt: this.#attempt,
              leaseMs: wave.slotLeaseMs,
            });
        }
      }
    }
    return { reports, lost, due };
  }

  /** Does what is due; the report that comes of it. */
  act({ member, does }: Due): NodeReport {
    if (does === 'stage') {
      member.is = 'staged';
      return this.#report(member, 'staged');
    }
    member.is = 'over';
    if (member.slot !== undefined) this.clear(member.at.region, member.slot);
    const { taken } = member;
    return taken.is === 'failed'
      ? this.#report(member, 'failed', taken.reason)
      : this.#report(member, 'healthy');
  }

  #refusal(member: Member, { holds = [] }: Wave): NodeReport | undefined {
    const { node, labels, running } = member.at;
    const held = heldBy(holds, { node, labels, digests: running === undefined ? [] : [running] });
    if (held !== undefined) return this.#report(member, 'refused', held);
    const { taken } = member;
    return taken.is === 'refused' || taken.is === 'stage-failed'
      ? this.#report(member, taken.is, taken.reason)
      : undefined;
  }

  #claim(region: Region, slots: number): number | undefined {
    const held = this.#held.get(region) ?? new Set();
    this.#held.set(region, held);
    const slot = Array.from({ length: slots }, (_, index) => index).find((index) => !held.has(index));
    if (slot !== undefined) held.add(slot);
    return slot;
  }

  get #attempt(): string {
    return `${this.#options.rollout}.update.1`;
  }

  #report({ at, is }: Member, status: NodeStatus, reason?: string): NodeReport {
    this.#said += 1;
    const { service, rollout, digest } = this.#options;
    const isAttempt = is === 'underway' || status === 'healthy' || status === 'failed';
    return {
      id: String(this.#said),
      region: at.region,
      node: at.node,
      service,
      rollout,
      status,
      ...(isAttempt && { attempt: this.#attempt }),
      ...(status === 'healthy' && { running: digest }),
      ...(reason !== undefined && { reason }),
    };
  }
}
