/**
 * Everything that happens in a world comes by here, at its instant: it is judged by the world's truth and by the checker
 * that reads real logs, and kept for a trace.
 */

import type { AgentEvent } from '@swell/agent/core/events.ts';
import type { ServiceState } from '@swell/agent/core/state.ts';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId, ServiceName } from '@swell/shared/domain/names.ts';
import { lastToken, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { StreamShape } from '../bus/definition.ts';
import type { NodeModel, Witness, Work } from '../node-model.ts';
import type { BelievedWave, Promises } from '../promises/promises.ts';
import type { Truth } from '../truth.ts';
import type { Bench, RuleChecks } from './bench.ts';
import { concernOf, type Happening, serviceOf } from './chronicle.ts';
import { Doors } from './doors.ts';
import { History } from './history.ts';
import { LogReader } from './reader.ts';
import { type Finding, ServiceJudge } from './service-judge.ts';

/**
 * Streams whose sequences are names of things, and what coordinators remember by: where one of them is set back, a new log
 * begins (decision 13).
 */
const NAMING: readonly string[] = [STREAMS.releases, STREAMS.orders, STREAMS.slots, STREAMS.rollouts];
/** What programs alone write, and everybody must be able to read. */
const WRITTEN: readonly string[] = [STREAMS.orders, STREAMS.slots, STREAMS.health];
/** What people write: the service is the subject's last word. */
const SAID: readonly string[] = [STREAMS.releases, STREAMS.controls, STREAMS.policies];

export class Judge implements Witness {
  readonly entries: LogEntry[] = [];
  readonly happenings: Happening[] = [];
  /** What the checker found and nobody could have kept, by why. */
  readonly excused = new Map<string, number>();
  readonly #bench: Bench;
  readonly #services = new Map<ServiceName, ServiceJudge>();
  readonly #doors: Doors;
  readonly #reader: LogReader;
  readonly #history = new History();
  /** When what stands in a stream was stored, by its place there: the bus's own clock may be off. */
  readonly #storedAtMs = new Map<string, number>();

  constructor(
    bench: Bench,
    services: ReadonlyMap<ServiceName, { readonly truth: Truth; readonly promises: Promises }>,
    shapes: readonly StreamShape[],
  ) {
    this.#bench = bench;
    this.#doors = new Doors(bench);
    this.#reader = new LogReader(shapes);
    for (const [service, judges] of services) {
      const judge = new ServiceJudge(
        judges,
        (sequence) => this.#entryAt(sequence),
        (finding) => this.#found(finding),
      );
      this.#services.set(service, judge);
    }
  }

  get history(): string {
    return this.#history.digest();
  }

  /** @param byHand a person put it there, and no program */
  stored(stream: string, message: StoredMessage, byHand: boolean): void {
    const { nowMs } = this.#bench;
    this.#history.stored(stream, message, nowMs);
    this.#doors.stored(stream, message, byHand);
    const entry = this.#read(stream, message, nowMs);
    if (entry !== undefined) this.#storedAtMs.set(placeOf(stream, message), nowMs);
    if (entry?.kind === 'event') this.#doors.told(entry.event);
    for (const one of this.#concerned(stream, message, entry)) one.stored(stream, message, entry);
    if (entry === undefined && !byHand && WRITTEN.includes(stream))
      this.#bench.break('wire', `what was stored on ${message.subject} does not parse`);
  }

  /** A stream has become an older one, or another; this is all that orders and slots show now. */
  setBack(
    stream: string,
    standing: readonly { readonly stream: string; readonly message: StoredMessage }[],
  ): void {
    this.happened(`${stream} is set back`);
    this.#doors.setBack(stream);
    this.#all((one) => one.setBack(stream));
    if (!NAMING.includes(stream)) return;
    const entries = standing.flatMap(({ stream: of, message }) => {
      const atMs = this.#storedAtMs.get(placeOf(of, message)) ?? this.#bench.nowMs;
      return this.#read(of, message, atMs) ?? [];
    });
    for (const [service, one] of this.#services)
      one.restart(entries.filter((entry) => serviceOf(entry) === service));
  }

  agentHandled(model: NodeModel, event: AgentEvent, before: ServiceState, after: ServiceState): void {
    this.#services.get(after.self.service)?.agentHandled(model, event, before, after);
  }

  /** A coordinator has been told that its order stands. */
  believes(order: BelievedWave): void {
    this.#services.get(order.wave.service)?.promises.believes(order);
  }

  agentBegins(model: NodeModel): void {
    this.#all((one) => one.agentBegins(model));
    this.happened('its agent begins', model);
  }

  wentOut(model: NodeModel, attempt: string, isCaught: boolean, service: ServiceName): void {
    this.happened(`cuts over, attempt ${attempt}`, model);
    if (isCaught) this.#excuse('I2: an agent was stopped between its last look at its slot and the deed');
    this.#truth(service)?.wentOut(model, attempt, isCaught);
  }

  cameBack(model: NodeModel, service: ServiceName): void {
    this.happened('its swap is over', model);
    this.#truth(service)?.cameBack(model);
  }

  /** @param service missing: nobody says for whom */
  works(model: NodeModel, work: Work, ms: number, service: ServiceName | undefined): void {
    this.#all(({ truth }, of) => {
      if (service === undefined || of === service) truth.works(model, work, ms);
    });
  }

  cleaned(model: NodeModel, removed: readonly Digest[]): void {
    this.happened(`cleans ${removed.map(shortDigest).join(', ')} away`, model);
    this.#all(({ truth }) => truth.cleaned(model, removed));
  }

  /** He forbids every change in his policy file. */
  operatorSays(model: NodeModel): void {
    this.#all(({ truth }) => truth.operatorSays(model));
  }

  operatorIsSilent(model: NodeModel): void {
    this.#all(({ truth }) => truth.operatorIsSilent(model));
  }

  operatorStops(model: NodeModel, service: ServiceName): void {
    this.happened('its operator stops his container', model);
    this.#truth(service)?.operatorStops(model);
  }

  operatorStarts(model: NodeModel, service: ServiceName): void {
    this.#truth(service)?.operatorStarts(model);
    this.happened('its operator starts his container again', model);
  }

  /** Somebody put another container there, or none. */
  changedByHand(model: NodeModel, service: ServiceName): void {
    this.happened('its container is changed by hand', model);
    this.#services.get(service)?.changedByHand(model);
  }

  /** Its journal is gone, or another one. */
  forgets(model: NodeModel): void {
    this.#all((one) => one.forgets(model));
    this.happened('its journal is lost or replaced', model);
  }

  /** Something that no stream shows. */
  happened(what: string, model?: NodeModel): void {
    const { nowMs } = this.#bench;
    this.#history.happened(`${model?.name ?? ''} ${what}`, nowMs);
    const concern = model === undefined ? {} : { region: model.region, node: model.name };
    this.happenings.push({ atMs: nowMs, what, concern });
  }

  /** How often each rule was judged: asked for once, when all is over. */
  checks(): RuleChecks {
    this.#all((one) => one.count());
    return this.#bench.checks;
  }

  /** Nothing more is to come. */
  finish(gone: ReadonlySet<NodeId>): void {
    this.#doors.atRest();
    this.#all((one) => one.finish(gone));
  }

  #all(tell: (one: ServiceJudge, service: ServiceName) => void): void {
    for (const [service, one] of this.#services) tell(one, service);
  }

  #truth(service: ServiceName): Truth | undefined {
    return this.#services.get(service)?.truth;
  }

  /** Those whose service it is about; all, where it is about none. */
  #concerned(
    stream: string,
    { subject }: StoredMessage,
    entry: LogEntry | undefined,
  ): readonly ServiceJudge[] {
    const said = SAID.includes(stream) ? lastToken(subject) : undefined;
    const service = entry === undefined ? said : serviceOf(entry);
    if (service === undefined) return [...this.#services.values()];
    const judge = this.#services.get(service);
    return judge === undefined ? [] : [judge];
  }

  #read(stream: string, message: StoredMessage, atMs: number): LogEntry | undefined {
    const entry = this.#reader.read(stream, message, atMs);
    if (entry === undefined) return undefined;
    this.entries.push(entry);
    return entry;
  }

  #entryAt(sequence: number): LogEntry {
    const entry = this.entries[sequence - 1];
    if (entry === undefined) throw new Error(`no entry ${sequence}`);
    return entry;
  }

  #found({ violation: { rule, sequence, message }, named, excuse }: Finding): void {
    if (excuse !== undefined) return this.#excuse(excuse);
    const entry = this.#entryAt(sequence);
    this.#bench.break(rule, message, { ...concernOf(entry), others: named }, entry.atMs);
  }

  #excuse(why: string): void {
    this.excused.set(why, (this.excused.get(why) ?? 0) + 1);
  }
}

function placeOf(stream: string, { sequence }: StoredMessage): string {
  return `${stream} ${sequence}`;
}
