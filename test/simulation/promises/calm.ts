/**
 * Since when nothing disturbs the bus, its leading coordinator, and each node. What is promised of them may be late for as
 * long as something does; some of it can only be judged where nothing has for a while.
 */

import type { NodeId } from '@swell/shared/domain/names.ts';

/** What is looked at, every second. */
export interface Surroundings {
  /** Changes whenever the bus or a coordinator's way to it is not what it was; undefined: something is wrong with one. */
  readonly bus: () => string | undefined;
  /** Does everybody hear all that is said, once, and read what stands? */
  readonly isHeard: () => boolean;
  /** The same of each node. */
  readonly nodes: () => readonly NodeId[];
  readonly node: (name: NodeId) => string | undefined;
  /** Is there an agent, connected or not? */
  readonly runs: (name: NodeId) => boolean;
}

/** After so much calm whatever was on its way has arrived: else the lease could not have been renewed all the time. */
const OBEYED_WITHIN_MS = 8_000;
/** Who was disturbed before may lose the lead as late as this: a word that is late is late by half a minute at times, and more. */
const UNDISTURBED_MS = 180_000;
/** A leader renews its lease every 3.3 s. */
const RENEWED_WITHIN_MS = 5_000;

interface Sighting {
  readonly shows: string | undefined;
  readonly sinceMs: number;
}

export class Calm {
  readonly #surroundings: Surroundings;
  #bus: Sighting = { shows: undefined, sinceMs: Number.POSITIVE_INFINITY };
  /** Of a bus that stores and answers, heard by everybody or not. */
  #written: Sighting = { shows: undefined, sinceMs: Number.POSITIVE_INFINITY };
  /** The bus and the ways to it, whoever leads. */
  #ways: Sighting = { shows: undefined, sinceMs: Number.POSITIVE_INFINITY };
  readonly #nodes = new Map<NodeId, Sighting>();
  /** When each node's agent was last seen alive. */
  readonly #ranAtMs = new Map<NodeId, number>();
  /** The times in which the bus was calm, the last one last. */
  readonly #calms: { readonly fromMs: number; toMs: number }[] = [];
  #lease = { term: 0, writtenAtMs: Number.NEGATIVE_INFINITY };

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Returns whether the lead changed hands though nothing has disturbed whoever had it for a while. */
  leaseWritten(term: number, nowMs: number): boolean {
    const { term: before } = this.#lease;
    this.#lease = { term, writtenAtMs: nowMs };
    const isUndisturbed =
      this.#ways.shows !== undefined &&
      this.#ways.shows === this.#surroundings.bus() &&
      nowMs - this.#ways.sinceMs >= UNDISTURBED_MS;
    return before !== 0 && before !== term && isUndisturbed;
  }

  /** Somebody's hand wrote where the lease stands, or took it away. */
  leaseWiped(nowMs: number): void {
    this.#ways = { ...this.#ways, sinceMs: nowMs };
  }

  /** It may be gone again before anybody looks. */
  agentBegins(name: NodeId, nowMs: number): void {
    this.#ranAtMs.set(name, nowMs);
  }

  look(nowMs: number): void {
    const { term, writtenAtMs } = this.#lease;
    const ways = this.#surroundings.bus();
    this.#ways = seen(this.#ways, ways, nowMs);
    const led = nowMs - writtenAtMs > RENEWED_WITHIN_MS ? undefined : ways;
    this.#written = seen(this.#written, led === undefined ? undefined : `${term} ${led}`, nowMs);
    const bus = this.#surroundings.isHeard() ? led : undefined;
    this.#bus = seen(this.#bus, bus === undefined ? undefined : `${term} ${bus}`, nowMs);
    if (bus !== undefined) this.#remember(nowMs);
    for (const name of this.#surroundings.nodes()) {
      const shows = this.#surroundings.node(name);
      if (this.#surroundings.runs(name)) this.#ranAtMs.set(name, nowMs);
      this.#nodes.set(name, seen(this.#nodes.get(name), shows, nowMs));
    }
  }

  /** Has one coordinator led, over a whole bus, for that long? */
  isBusCalm(forMs: number, nowMs: number): boolean {
    return this.#bus.shows !== undefined && nowMs - this.#bus.sinceMs >= forMs;
  }

  /** Has whatever was written been stored and answered for that long? */
  isBusWritten(forMs: number, nowMs: number): boolean {
    return this.#written.shows !== undefined && nowMs - this.#written.sinceMs >= forMs;
  }

  /** Was there, between the two, calm enough for whoever leads to hear of anything and to be heard? */
  hadTimeToObey(fromMs: number, toMs: number): boolean {
    const index = this.#calms.findLastIndex(
      (calm) => Math.min(calm.toMs, toMs) - Math.max(calm.fromMs, fromMs) >= OBEYED_WITHIN_MS,
    );
    return index >= 0;
  }

  /** Has a node's agent run, with a way to the bus, for that long? */
  isNodeCalm(name: NodeId, forMs: number, nowMs: number): boolean {
    const node = this.#nodes.get(name);
    return node?.shows !== undefined && nowMs - node.sinceMs >= forMs;
  }

  /** Has it had no agent for that long? */
  isAgentDead(name: NodeId, forMs: number, nowMs: number): boolean {
    const ranAtMs = this.#ranAtMs.get(name) ?? Number.NEGATIVE_INFINITY;
    return nowMs - ranAtMs >= forMs && !this.#surroundings.runs(name);
  }

  #remember(nowMs: number): void {
    const { sinceMs: fromMs } = this.#bus;
    const last = this.#calms.at(-1);
    if (last?.fromMs === fromMs) last.toMs = nowMs;
    else this.#calms.push({ fromMs, toMs: nowMs });
  }
}

function seen(before: Sighting | undefined, shows: string | undefined, nowMs: number): Sighting {
  return before !== undefined && before.shows === shows ? before : { shows, sinceMs: nowMs };
}
