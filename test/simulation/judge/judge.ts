/**
 * Everything that happens in a world comes by here, at its instant: it is judged by the world's truth and by the checker
 * that reads real logs, and kept for a trace.
 */

import type { AgentEvent } from '@swell/agent/core/events.ts';
import type { ServiceState } from '@swell/agent/core/state.ts';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import type { Violation } from '@swell/shared/domain/rules/rule.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { StreamShape } from '../bus/definition.ts';
import type { NodeModel, Witness, Work } from '../node-model.ts';
import type { BelievedWave, Promises } from '../promises/promises.ts';
import type { Truth } from '../truth.ts';
import type { RuleChecks } from './bench.ts';
import { concernOf, type Happening } from './chronicle.ts';
import { Excuses } from './excuses.ts';
import { History } from './history.ts';
import { LogCheck } from './log-check.ts';
import { LogReader } from './reader.ts';

/**
 * Streams whose sequences are names of things, and what coordinators remember by: where one of them is set back, a new log
 * begins (decision 13).
 */
const NAMING: readonly string[] = [STREAMS.releases, STREAMS.orders, STREAMS.slots, STREAMS.rollouts];
/** What programs alone write, and everybody must be able to read. */
const WRITTEN: readonly string[] = [STREAMS.orders, STREAMS.slots, STREAMS.health];

export class Judge implements Witness {
  readonly truth: Truth;
  readonly #promises: Promises;
  readonly entries: LogEntry[] = [];
  readonly happenings: Happening[] = [];
  /** What the checker found and nobody could have kept, by why. */
  readonly excused = new Map<string, number>();
  readonly #reader: LogReader;
  readonly #check: LogCheck;
  readonly #history = new History();
  /** When what stands in a stream was stored, by its place there: the bus's own clock may be off. */
  readonly #storedAtMs = new Map<string, number>();
  readonly #excuses: Excuses;

  constructor(truth: Truth, promises: Promises, shapes: readonly StreamShape[]) {
    this.truth = truth;
    this.#promises = promises;
    this.#excuses = new Excuses(truth.bench);
    this.#reader = new LogReader(shapes);
    this.#check = new LogCheck(truth.bench, (violation) => this.#found(violation));
  }

  get history(): string {
    return this.#history.digest();
  }

  /** @param byHand a person put it there, and no program */
  stored(stream: string, message: StoredMessage, byHand: boolean): void {
    const { nowMs } = this.truth.bench;
    this.#history.stored(stream, message, nowMs);
    this.truth.cameIn(stream, message, byHand);
    const entry = this.#read(stream, message, nowMs);
    if (entry !== undefined) this.#storedAtMs.set(placeOf(stream, message), nowMs);
    this.#promises.stored(stream, message, entry);
    if (entry === undefined) {
      if (!byHand && WRITTEN.includes(stream))
        this.truth.break('wire', `what was stored on ${message.subject} does not parse`);
      return;
    }
    this.#excuses.see(entry);
    this.truth.stored(entry);
    this.#check.see(entry);
  }

  /** A stream has become an older one, or another; this is all that orders and slots show now. */
  setBack(
    stream: string,
    standing: readonly { readonly stream: string; readonly message: StoredMessage }[],
  ): void {
    this.happened(`${stream} is set back`);
    this.truth.setBack(stream);
    this.#promises.setBack(stream);
    if (stream === STREAMS.rollouts) this.#excuses.recordsLost();
    if (!NAMING.includes(stream)) return;
    const entries = standing.flatMap(({ stream: of, message }) => {
      const atMs = this.#storedAtMs.get(placeOf(of, message)) ?? this.truth.bench.nowMs;
      return this.#read(of, message, atMs) ?? [];
    });
    this.truth.restart(entries);
    this.#check.restart(entries);
  }

  agentHandled(model: NodeModel, event: AgentEvent, before: ServiceState, after: ServiceState): void {
    const start = this.truth.agentHandled(model, event, before, after);
    if (start === undefined) return;
    this.#excuses.began(start);
    this.#check.began(start, this.truth.isRemembered(start));
  }

  /** A coordinator has been told that its order stands. */
  believes(order: BelievedWave): void {
    this.#promises.believes(order);
  }

  agentBegins(model: NodeModel): void {
    this.truth.agentBegins(model);
    this.#promises.agentBegins(model.name);
    this.happened('its agent begins', model);
  }

  wentOut(model: NodeModel, attempt: string, isCaught: boolean): void {
    this.happened(`cuts over, attempt ${attempt}`, model);
    if (isCaught) this.#excuse('I2: an agent was stopped between its last look at its slot and the deed');
    this.truth.wentOut(model, attempt, isCaught);
  }

  cameBack(model: NodeModel): void {
    this.happened('its swap is over', model);
    this.truth.cameBack(model);
  }

  works(model: NodeModel, work: Work, ms: number): void {
    this.truth.works(model, work, ms);
  }

  cleaned(model: NodeModel, removed: readonly Digest[]): void {
    this.happened(`cleans ${removed.map(shortDigest).join(', ')} away`, model);
    this.truth.cleaned(model, removed);
  }

  /** He forbids every change in his policy file. */
  operatorSays(model: NodeModel): void {
    this.truth.operatorSays(model);
  }

  operatorIsSilent(model: NodeModel): void {
    this.truth.operatorIsSilent(model);
  }

  operatorStops(model: NodeModel): void {
    this.happened('its operator stops his container', model);
    this.truth.operatorStops(model);
  }

  operatorStarts(model: NodeModel): void {
    this.truth.operatorStarts(model);
    this.happened('its operator starts his container again', model);
  }

  /** Somebody put another container there, or none. */
  changedByHand(model: NodeModel): void {
    this.happened('its container is changed by hand', model);
    this.truth.changedByHand(model);
    this.#promises.changedByHand(model.name);
  }

  /** Its journal is gone, or another one. */
  forgets(model: NodeModel): void {
    this.#excuses.forgets(model.name);
    this.truth.forgets(model);
    this.happened('its journal is lost or replaced', model);
  }

  /** Something that no stream shows. */
  happened(what: string, model?: NodeModel): void {
    const { nowMs } = this.truth.bench;
    this.#history.happened(`${model?.name ?? ''} ${what}`, nowMs);
    const concern = model === undefined ? {} : { region: model.region, node: model.name };
    this.happenings.push({ atMs: nowMs, what, concern });
  }

  /** How often each rule was judged: asked for once, when all is over. */
  checks(): RuleChecks {
    this.#check.count();
    return this.truth.bench.checks;
  }

  /** Nothing more is to come. */
  finish(gone: ReadonlySet<NodeId>): void {
    this.#check.finish(gone);
    this.#promises.atRest();
  }

  #read(stream: string, message: StoredMessage, atMs: number): LogEntry | undefined {
    const entry = this.#reader.read(stream, message, atMs);
    if (entry === undefined) return undefined;
    this.entries.push(entry);
    return entry;
  }

  #found(violation: Violation): void {
    const { rule, sequence, message } = violation;
    const entry = this.entries[sequence - 1];
    if (entry === undefined) throw new Error(`no entry ${sequence}`);
    const named = this.#excuses.nodes.filter((name) => new RegExp(`\\b${name}\\b`).test(message)).toSorted();
    const excuse = this.#excuses.of(rule, entry, named);
    if (excuse === undefined)
      this.truth.bench.break(rule, message, { ...concernOf(entry), others: named }, entry.atMs);
    else this.#excuse(excuse);
  }

  #excuse(why: string): void {
    this.excused.set(why, (this.excused.get(why) ?? 0) + 1);
  }
}

function placeOf(stream: string, { sequence }: StoredMessage): string {
  return `${stream} ${sequence}`;
}
