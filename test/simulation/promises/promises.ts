/**
 * What a fleet promises its people: that their policy is kept, their words are obeyed, and what they publish is answered.
 * Judged from outside, by what the bus stores, at its instant. The rules that never break are the judge's; these may be
 * late for as long as something disturbs the bus, and nobody can keep them once the bus itself has been set back.
 */

import type { CoordinatorEvent } from '@swell/coordinator/core/events.ts';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { controlSchema } from '@swell/shared/protocol/control.ts';
import { leaseSchema } from '@swell/shared/protocol/records.ts';
import { LEASE_KEY, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { Answers } from './answers.ts';
import { Budgets } from './budgets.ts';
import { Limits } from './limits.ts';
import { Losses } from './losses.ts';
import { Plans } from './plans.ts';
import { Precedence } from './precedence.ts';
import { Presences } from './presence.ts';
import type { Scene, ToldStart } from './scene.ts';
import { Stages } from './stages.ts';
import { Stays } from './stays.ts';
import { Tags } from './tags.ts';
import { WaysBack } from './ways-back.ts';
import { Wellness } from './wellness.ts';
import { Words } from './words.ts';

const LOOK_EVERY_MS = 1_000;
/** The shortest window of ids, with a margin. */
const ID_WINDOW_MS = 100_000;
/** Looks. */
const JUDGED_EVERY = 10;

export type BelievedWave = Extract<CoordinatorEvent, { kind: 'wave-stored' }>;

export class Promises {
  readonly #world: Scene;
  readonly #scene: Scene;
  readonly #answers: Answers;
  readonly #budgets: Budgets;
  readonly #limits: Limits;
  readonly #losses: Losses;
  readonly #plans: Plans;
  readonly #precedence: Precedence;
  readonly #presences: Presences;
  readonly #stages: Stages;
  readonly #stays: Stays;
  readonly #tags: Tags;
  readonly #waysBack: WaysBack;
  readonly #wellness: Wellness;
  readonly #words: Words;
  /** By region and revision. */
  readonly #waves = new Map<string, Wave>();
  readonly #claimedAtMs = new Map<string, number>();
  /** Events and reports may be told again: when each was told last. */
  readonly #heard = new Map<string, number>();
  #isSetBack = false;
  #looks = 0;

  constructor(world: Scene) {
    this.#world = world;
    // What was to be judged later is not, once the bus does not remember it.
    const after: Scene['after'] = (ms, act) => world.after(ms, () => this.#isSetBack || act());
    const scene = { ...world, after };
    this.#scene = scene;
    this.#answers = new Answers(scene);
    this.#budgets = new Budgets(scene);
    this.#limits = new Limits(scene);
    this.#losses = new Losses(scene);
    this.#plans = new Plans(scene);
    this.#precedence = new Precedence(scene);
    this.#presences = new Presences(scene);
    this.#stages = new Stages(scene);
    this.#stays = new Stays(scene);
    this.#tags = new Tags(scene);
    this.#waysBack = new WaysBack(scene);
    this.#wellness = new Wellness(scene);
    this.#words = new Words(scene);
    this.#lookSoon();
  }

  /** @param entry what it is to the log's readers, if it is anything to them */
  stored(stream: string, message: StoredMessage, entry: LogEntry | undefined): void {
    if (this.#isSetBack) return;
    if (message.subject === LEASE_KEY) this.#seeLease(message);
    else if (stream === STREAMS.policies) this.#seePolicy(message);
    else if (stream === STREAMS.controls) this.#seeControl(message);
    else if (stream === STREAMS.releases) this.#seeRelease(message);
    else if (stream === STREAMS.nodes) this.#presences.stored(message);
    else if (entry !== undefined) this.#seeEntry(entry, message.storedAtMs);
    // Where somebody else writes his orders, whoever leads gives up.
    else if (stream === STREAMS.orders) this.#scene.calm.leaseWiped(this.#scene.bench.nowMs);
  }

  /** I4. Of two leaders neither takes what the other wrote for its own. */
  believes({ region, revision, wave }: BelievedWave): void {
    const stands = this.#waves.get(`${region}/${revision}`);
    if (this.#isSetBack || stands === undefined) return;
    const { bench } = this.#scene;
    bench.judged('I4');
    if (sameValue(stands, wave)) return;
    bench.break(
      'I4',
      `a coordinator takes wave ${revision} of ${region} for its own, and another one wrote it`,
      {
        region,
      },
    );
  }

  agentBegins(node: NodeId): void {
    this.#scene.calm.agentBegins(node, this.#scene.bench.nowMs);
  }

  changedByHand(node: NodeId): void {
    this.#wellness.changedByHand(node);
  }

  /** The bus does not remember what was promised. Presence lies in memory, and is made anew all the time. */
  setBack(stream: string): void {
    if (stream !== STREAMS.nodes) this.#isSetBack = true;
  }

  /** Everything has healed, and nothing more is to come. */
  atRest(): void {
    if (this.#isSetBack) return;
    this.#answers.atRest();
  }

  #lookSoon(): void {
    this.#world.after(LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    const { bench, calm } = this.#scene;
    calm.look(bench.nowMs);
    this.#looks += 1;
    if (!this.#isSetBack && this.#looks % JUDGED_EVERY === 0)
      for (const one of [this.#limits, this.#presences, this.#tags]) one.look();
    this.#lookSoon();
  }

  #seeLease({ body, deleted }: StoredMessage): void {
    const { calm, bench } = this.#scene;
    const lease = deleted ? undefined : decode(body, leaseSchema);
    if (lease?.ok !== true) return calm.leaseWiped(bench.nowMs);
    const { coordinator, term } = lease.value;
    bench.judged('B13');
    if (calm.leaseWritten(term, bench.nowMs))
      bench.break(
        'B13',
        `${coordinator} takes the lead in term ${term}, though nothing ailed whoever had it`,
      );
  }

  #seePolicy(message: StoredMessage): void {
    this.#scene.policies.written(message, this.#scene.bench.nowMs);
    this.#budgets.policyOrCountChanged();
  }

  #seeControl(message: StoredMessage): void {
    this.#answers.said(message);
    const control = decode(message.body, controlSchema);
    if (!control.ok) return;
    for (const one of [this.#stages, this.#stays, this.#tags, this.#words]) one.said(control.value);
    if (control.value.action === 'resume') this.#precedence.resumes();
  }

  #seeRelease(message: StoredMessage): void {
    this.#answers.released(message);
    this.#plans.released(message);
    this.#precedence.released(message);
    this.#tags.released(message);
  }

  #seeEntry(entry: LogEntry, busMs: number): void {
    switch (entry.kind) {
      case 'wave':
        this.#waves.set(`${entry.wave.region}/${entry.revision}`, entry.wave);
        for (const one of [
          this.#answers,
          this.#budgets,
          this.#limits,
          this.#plans,
          this.#precedence,
          this.#stages,
          this.#tags,
          this.#waysBack,
          this.#wellness,
          this.#words,
        ])
          one.wave(entry.wave);
        return;
      case 'halt':
        for (const one of [this.#answers, this.#stays, this.#waysBack]) one.halt(entry.halt);
        return;
      case 'slot': {
        const { region, slot, revision } = entry;
        this.#claimedAtMs.set(`${region}/${slot}/${revision}`, this.#scene.bench.nowMs);
        for (const one of [this.#losses, this.#wellness]) one.slot(entry);
        return;
      }
      case 'report':
        if (this.#isNew(`${entry.report.node}/${entry.report.id}`, busMs)) this.#seeReport(entry.report);
        return;
      case 'event':
        if (this.#isNew(entry.event.id, busMs)) this.#seeEvent(entry.event);
        return;
      case 'release':
    }
  }

  #seeReport(report: NodeReport): void {
    const start = this.#startOf(report);
    if (start !== undefined)
      for (const one of [this.#budgets, this.#plans, this.#precedence, this.#words, this.#waysBack])
        one.start(start);
    for (const one of [this.#budgets, this.#precedence, this.#stays, this.#waysBack, this.#wellness])
      one.report(report);
  }

  #seeEvent(event: FleetEvent): void {
    if (event.name === 'record-set-back') this.#judgeSetBack(event.line);
    for (const one of [
      this.#answers,
      this.#budgets,
      this.#losses,
      this.#plans,
      this.#precedence,
      this.#stages,
      this.#stays,
      this.#tags,
      this.#waysBack,
      this.#words,
    ])
      one.event(event);
  }

  #startOf(report: NodeReport): ToldStart | undefined {
    const { region, status, warrant } = report;
    if (status !== 'updating' || warrant === undefined) return undefined;
    const wave = this.#waves.get(`${region}/${warrant.waveRevision}`);
    const claimedAtMs = this.#claimedAtMs.get(`${region}/${warrant.slot}/${warrant.fence}`);
    if (wave === undefined || claimedAtMs === undefined || wave.phase === 'settled') return undefined;
    return { report, wave, claimedAtMs };
  }

  /** It stops a service until a person has decided: nobody may be called for nothing. */
  #judgeSetBack(line: string): void {
    const { bench } = this.#scene;
    bench.judged('I14');
    if (!this.#isSetBack) bench.break('I14', `nothing was put back, and yet: ${line}`);
  }

  /** B16. Twice within the window of ids, by the bus's own clock: it is told by two names, and whoever counts counts it twice. */
  #isNew(name: string, busMs: number): boolean {
    const { bench } = this.#scene;
    const beforeMs = this.#heard.get(name);
    this.#heard.set(name, busMs);
    if (beforeMs === undefined) return true;
    bench.judged('B16');
    if (Math.abs(busMs - beforeMs) < ID_WINDOW_MS) bench.break('B16', `${name} is told twice`);
    return false;
  }
}
