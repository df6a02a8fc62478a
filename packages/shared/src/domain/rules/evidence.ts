/** What the log has shown so far, found by revision and name: what every rule compares with. */

import type { Digest } from '../image.ts';
import type { LogEntry } from '../log.ts';
import type { NodeId, Region, ServiceName } from '../names.ts';
import type { NodeReport } from '../report.ts';
import type { SlotHolder } from '../slot.ts';
import type { Wave } from '../wave.ts';

export interface StoredWave {
  readonly revision: number;
  readonly atMs: number;
  readonly wave: Wave;
  /** The one that replaced it. */
  next?: StoredWave;
}

/** One holder's time in a slot: from the claim over its renewals to the deletion. */
export interface Tenure {
  readonly region: Region;
  readonly service: ServiceName;
  readonly slot: number;
  readonly holder: SlotHolder;
  readonly claimed: number;
  readonly claimedAtMs: number;
  /** The newest write of the holder. */
  revision: number;
  writtenAtMs: number;
  /** The deletion, by whomever. */
  ended?: { readonly revision: number; readonly atMs: number };
}

type SlotPlace = { readonly region: Region; readonly service: ServiceName; readonly slot: number };

export class Evidence {
  /** By region, service and revision. */
  readonly #waves = new Map<string, StoredWave>();
  readonly #newestWaves = new Map<string, StoredWave>();
  readonly #digests = new Map<string, Digest>();
  readonly #irreversible = new Set<string>();
  readonly #tenures = new Map<string, Tenure>();
  readonly #present = new Map<string, Tenure>();
  /** Slots that the coordinator declared lost or cleared, by the revision that it named. */
  readonly #declared = new Set<string>();
  readonly #heard = new Set<string>();
  #firstOrder = Number.POSITIVE_INFINITY;
  #firstSlot = Number.POSITIVE_INFINITY;

  /**
   * Takes an entry in.
   *
   * @returns of a slot's entry: who held the slot before it
   */
  see(entry: LogEntry): Tenure | undefined {
    switch (entry.kind) {
      case 'wave':
        this.#seeWave(entry.wave, entry.revision, entry.atMs);
        return undefined;
      case 'halt':
        this.#firstOrder = Math.min(this.#firstOrder, entry.revision);
        return undefined;
      case 'slot':
        return this.#seeSlot(entry);
      case 'event':
        this.#seeEvent(entry.event);
        return undefined;
      case 'release':
      case 'report':
        return undefined;
    }
  }

  /** Is this a report that was said before? Saying it again is harmless: that is what its id is for. */
  hasHeard(report: NodeReport): boolean {
    const id = `${nodeKey(report)}/${report.id}`;
    if (this.#heard.has(id)) return true;
    this.#heard.add(id);
    return false;
  }

  /** A wave by its revision; `before-log`: it was stored before this log begins, and cannot be judged. */
  wave(region: Region, service: ServiceName, revision: number): StoredWave | 'before-log' | undefined {
    if (revision < this.#firstOrder) return 'before-log';
    return this.#waves.get(`${region}/${service}/${revision}`);
  }

  /** Who held a slot by a revision of its key. */
  tenure(place: SlotPlace, revision: number): Tenure | 'before-log' | undefined {
    if (revision < this.#firstSlot) return 'before-log';
    return this.#tenures.get(at(place, revision));
  }

  /** The digest that a rollout brings, if one of its waves is in the log. */
  digestOf(service: ServiceName, rollout: number): Digest | undefined {
    return this.#digests.get(`${service}/${rollout}`);
  }

  /** Does a wave of the log say of this rollout's release that it cannot be undone? */
  isIrreversible(service: ServiceName, rollout: number): boolean {
    return this.#irreversible.has(`${service}/${rollout}`);
  }

  /** Has the coordinator said that this holder lost its slot? */
  wasDeclaredLost(tenure: Tenure): boolean {
    return this.#declared.has(at(tenure, tenure.revision));
  }

  #seeWave(wave: Wave, revision: number, atMs: number): void {
    this.#firstOrder = Math.min(this.#firstOrder, revision);
    const key = `${wave.region}/${wave.service}`;
    const stored: StoredWave = { revision, atMs, wave };
    this.#waves.set(`${key}/${revision}`, stored);
    const newest = this.#newestWaves.get(key);
    if (newest === undefined || newest.revision < revision) {
      if (newest !== undefined) newest.next = stored;
      this.#newestWaves.set(key, stored);
    }
    const rollout = `${wave.service}/${wave.release.rollout}`;
    this.#digests.set(rollout, wave.release.image.digest);
    if (wave.release.irreversible === true) this.#irreversible.add(rollout);
  }

  #seeSlot(entry: Extract<LogEntry, { kind: 'slot' }>): Tenure | undefined {
    this.#firstSlot = Math.min(this.#firstSlot, entry.revision);
    const key = `${entry.region}/${entry.service}/${entry.slot}`;
    const before = this.#present.get(key);
    const { holder } = entry;
    if (holder === undefined) {
      if (before !== undefined) before.ended = { revision: entry.revision, atMs: entry.atMs };
      this.#present.delete(key);
      return before;
    }
    const renews = before?.holder.node === holder.node && before.holder.attempt === holder.attempt;
    const tenure = renews ? before : began(entry, holder);
    tenure.revision = entry.revision;
    tenure.writtenAtMs = entry.atMs;
    this.#present.set(key, tenure);
    this.#tenures.set(at(entry, entry.revision), tenure);
    return before;
  }

  #seeEvent(event: Extract<LogEntry, { kind: 'event' }>['event']): void {
    const { name, region, service, slot, revision } = event;
    if (name !== 'slot-lost' && name !== 'slot-cleared') return;
    if (region === undefined || slot === undefined || revision === undefined) return;
    this.#declared.add(at({ region, service, slot }, revision));
  }
}

function began(entry: SlotPlace & { revision: number; atMs: number }, holder: SlotHolder): Tenure {
  const { region, service, slot, revision, atMs } = entry;
  return { region, service, slot, holder, claimed: revision, claimedAtMs: atMs, revision, writtenAtMs: atMs };
}

function at({ region, service, slot }: SlotPlace, revision: number): string {
  return `${region}/${service}/${slot}/${revision}`;
}

/** A node's service, to keep things by. */
export function nodeKey(one: {
  readonly region: Region;
  readonly service: ServiceName;
  readonly node: NodeId;
}): string {
  return `${one.region}/${one.service}/${one.node}`;
}

/** Who and where, to begin a message with. */
export function who(report: NodeReport): string {
  return `${report.node} (${report.service} in ${report.region})`;
}

/** Why a report's warrant does not stand for a slot that its node held; `undefined`: it does, or nobody can tell. */
export function slotProblem(evidence: Evidence, report: NodeReport): string | undefined {
  const { region, service, node, attempt, warrant } = report;
  if (warrant === undefined) return 'without a warrant';
  const { slot, fence } = warrant;
  const tenure = evidence.tenure({ region, service, slot }, fence);
  if (tenure === 'before-log') return undefined;
  if (tenure === undefined) return `by slot ${slot} at revision ${fence}, which nobody stored`;
  const { holder } = tenure;
  if (holder.node === node && holder.attempt === attempt) return undefined;
  return `by slot ${slot} at revision ${fence}, which ${holder.node} held for attempt ${holder.attempt}`;
}
