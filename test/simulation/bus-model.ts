/**
 * A NATS server with JetStream, or three that are one, in virtual time: what clients can learn of it, and what can go wrong
 * with it. `test/conformance` asks the same of this and of real servers.
 *
 * 1. Whoever subscribes to a stream's own subject hears what is then refused; on a republished subject only what is stored.
 * 2. What a connection has said arrives in order, whole, or from some point on not at all.
 */

import type { HeardMessage, Stored, StoredMessage } from '@swell/shared/adapters/bus.ts';
import { type Answering, no, yes } from './bus/answers.ts';
import { Consumer, type ConsumerEars, type ConsumerOptions } from './bus/consumer.ts';
import type { StreamShape } from './bus/definition.ts';
import { ModelJetStream } from './bus/jetstream.ts';
import { Leaders } from './bus/leaders.ts';
import { Line } from './bus/line.ts';
import { ModelBus, type ModelBusOptions } from './bus/model-bus.ts';
import { type FaultRates, noFaults } from './bus/rates.ts';
import { Rounds } from './bus/rounds.ts';
import type { Session } from './bus/session.ts';
import type { Backup, Copies, Entry, ModelStream, Statement } from './bus/stream.ts';
import { SubjectIndex } from './bus/subjects.ts';
import type { Chance } from './chance.ts';
import type { Process } from './process.ts';
import type { VirtualTime } from './time.ts';

/** The client's own server knows of a subscription before the others do. */
const SPREAD_MS = 5;
const ELECTION_MS = { min: 2_000, max: 8_000 };

interface Listener {
  readonly session: Session;
  readonly hear: (message: HeardMessage) => void;
}

export class ModelServer {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #copies: Copies;
  readonly #jetStream: ModelJetStream;
  readonly #listeners = new SubjectIndex<Listener>();
  readonly #consumers = new Set<Consumer>();
  readonly #lines = new Set<Line>();
  readonly #rounds: Rounds;
  readonly #leaders: Leaders;
  #state: 'up' | 'down' | 'frozen' = 'up';
  #held: (() => void)[] = [];
  #connections = 0;
  readonly rates: FaultRates = noFaults();
  /** How far the server's clock is off. */
  skewMs = 0;
  /** The world's ear: everything that is stored, at the instant. */
  onStored: (stream: string, message: StoredMessage) => void = () => {};
  /** A stream is another one than before, or an older one, or gone. */
  onChanged: (stream: string) => void = () => {};

  /** One server, or three of which each keeps every stream. */
  constructor(time: VirtualTime, chance: Chance, shapes: readonly StreamShape[], copies: Copies = 1) {
    this.#time = time;
    this.#rounds = new Rounds(time);
    this.#copies = copies;
    this.#chance = chance.fork('bus');
    this.#leaders = new Leaders(time, this.#chance.fork('leaders'));
    const clockMs = (): number => time.nowMs + this.skewMs;
    const ground = { time, chance: this.#chance.fork('streams'), shapes, clockMs, copies };
    this.#jetStream = new ModelJetStream(ground);
    this.#jetStream.onStored = (stream, entry) => this.#stored(stream, entry);
    this.#jetStream.onChanged = (name) => {
      this.#forgetConsumers(name);
      this.onChanged(name);
    };
    this.#jetStream.ensure();
  }

  /** A program's connection: it stands at once where the server can be reached, and is dialled for otherwise. */
  connect(process: Process, options: ModelBusOptions): ModelBus {
    this.#connections += 1;
    const chance = this.#chance.fork(`${process.name}#${this.#connections}`);
    const ground = { time: this.#time, rounds: this.#rounds, chance, rates: this.rates, process };
    const line = new Line(ground, options.latencyMs);
    for (const old of this.#lines) if (!old.process.isAlive) this.#lines.delete(old);
    this.#lines.add(line);
    return new ModelBus(
      { server: this, line, process, chance, closed: () => this.#lines.delete(line) },
      options,
    );
  }

  // What the world does to it.

  /** It ends, at once: connections break, streams in memory are gone. */
  down(): void {
    if (this.#state === 'down') return;
    this.#state = 'down';
    this.#held = [];
    this.#jetStream.stop();
    for (const line of this.#lines) line.breakOff();
  }

  up(): void {
    if (this.#state !== 'down') return;
    this.#state = 'up';
    this.#jetStream.start();
    if (this.#copies === 3) this.#elect();
  }

  /** SIGSTOP: connections stay, nothing is answered. */
  freeze(): void {
    if (this.#state === 'up') this.#state = 'frozen';
    for (const line of this.#lines) line.onSilence();
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'up';
    const held = this.#held;
    this.#held = [];
    for (const line of this.#lines) line.onHealed();
    for (const handle of held) handle();
  }

  /** No leader for so long, of one stream or of all: nothing is stored or surely read; plain messages still pass. */
  loseLeader(ms: number, streams: readonly string[] = this.#jetStream.names()): void {
    this.#leaders.lose(ms, streams);
  }

  /** Has every stream its leader? */
  get isLed(): boolean {
    return this.#leaders.areAll;
  }

  /** Where a stream begins that a coordinator makes from now on. */
  set firstSequence(of: (stream: string) => number) {
    this.#jetStream.firstSequence = of;
  }

  /** Makes the streams that are missing, as a coordinator does when it begins; returns their names. */
  ensure(): readonly string[] {
    return this.#state === 'up' ? this.#jetStream.ensure() : [];
  }

  names(): readonly string[] {
    return this.#jetStream.names();
  }

  backup(stream: string): Backup {
    return this.#need(stream).backup();
  }

  /** A stream becomes what it was at the backup. */
  rewind(backup: Backup): void {
    this.#jetStream.restore(backup);
  }

  /** The last acknowledged messages of a stream vanish; belongs between {@link down} and {@link up}. */
  loseTail(stream: string, count: number): void {
    this.#jetStream.loseTail(stream, count);
  }

  deleteStream(stream: string): void {
    this.#jetStream.delete(stream);
  }

  /** Deleted and made again: empty, with sequences from 1. */
  recreate(stream: string): void {
    this.#jetStream.recreate(stream);
  }

  /** All that a stream keeps, from a sequence on: for the checker, past every connection. */
  *entries(stream: string, from = 1): Generator<StoredMessage> {
    for (const { message } of this.#jetStream.get(stream)?.since(from) ?? []) yield message;
  }

  /** The last message of a subject, past every connection. */
  lastOf(stream: string, subject: string): StoredMessage | undefined {
    return this.#jetStream.get(stream)?.last(subject)?.message;
  }

  /** What a person publishes, who repeats it until it is stored; its sequence, or undefined while the server is down. */
  say(subject: string, body: Uint8Array, deleted = false): number | undefined {
    const stream = this.#state === 'up' ? this.#jetStream.of(subject) : undefined;
    if (stream === undefined) return undefined;
    this.#route(subject, { subject, body, deleted });
    const verdict = this.#jetStream.write(stream, { subject, body, deleted });
    return verdict.is === 'stored' ? verdict.entry.message.sequence : undefined;
  }

  /** What the programs see of `SWELL_LOG`. */
  log(from = 1): Generator<StoredMessage> {
    return this.entries('SWELL_LOG', from);
  }

  lastSequence(stream: string): number {
    return this.#jetStream.get(stream)?.lastSequence ?? 0;
  }

  // What its clients ask of it, once their words have arrived.

  get state(): 'up' | 'down' | 'frozen' {
    return this.#state;
  }

  /** Words reach the server: now, when it goes on, or never. */
  receive(handle: () => void): void {
    if (this.#state === 'up') handle();
    else if (this.#state === 'frozen') this.#held.push(handle);
  }

  /** A publish that waits for its acknowledgement. */
  publish(statement: Statement, size: number, answer: Answering<Stored>): void {
    const { subject, body, deleted } = statement;
    // I heard it, says the server to plain subscribers, whatever becomes of it.
    this.#route(subject, { subject, body, deleted });
    const stream = this.#jetStream.of(subject);
    if (stream === undefined) return answer(no('unavailable', 'no stream listens'));
    const { rates } = this;
    if (this.#chance.happens(rates.publishLost)) return;
    const ear: Answering<Stored> = this.#chance.happens(rates.answerLost) ? () => {} : answer;
    this.#leaders.write(stream.shape.name, ear, (say) => this.#store(statement, size, say));
  }

  broadcast(subject: string, body: Uint8Array): void {
    this.#route(subject, { subject, body, deleted: false });
  }

  readLast(stream: string, subject: string, answer: Answering<Entry | undefined>): void {
    const found = this.#jetStream.get(stream);
    if (found === undefined) answer(no('unavailable', 'stream not found'));
    else this.#leaders.ask(stream, answer, (say) => say(yes(found.last(subject))));
  }

  /** Any replica answers, also while there is no leader. */
  readLastOfEach(
    stream: string,
    subjects: readonly string[],
    answer: Answering<readonly StoredMessage[]>,
  ): void {
    const found = this.#jetStream.get(stream);
    if (found === undefined) return answer(no('unavailable', 'no such stream, or nobody serves it'));
    const behindMs = this.#chance.happens(this.rates.staleRead)
      ? this.#chance.exponential(this.rates.staleMs)
      : undefined;
    const upTo = behindMs === undefined ? undefined : found.endAt(this.#time.nowMs + this.skewMs - behindMs);
    answer(yes(found.lastOfEach(subjects, upTo).map(({ message }) => message)));
  }

  subscribe(session: Session, subject: string, hear: Listener['hear']): () => void {
    const listener = { session, hear };
    const listen = (): void => {
      if (session.isOpen && session.onClosed.has(forget)) this.#listeners.add(subject, listener);
    };
    const forget = (): void => {
      this.#listeners.remove(subject, listener);
      session.onClosed.delete(forget);
    };
    if (!session.isOpen) return forget;
    session.onClosed.add(forget);
    if (this.#copies === 1) listen();
    else this.#time.after(this.#chance.exponential(SPREAD_MS), listen);
    return forget;
  }

  /** Makes a consumer; it hands over nothing before it is pulled from. */
  follow(session: Session, options: ConsumerOptions, ears: ConsumerEars, answer: Answering<Consumer>): void {
    const stream = this.#jetStream.get(options.stream);
    if (stream === undefined) return answer(no('unavailable', 'stream not found'));
    this.#leaders.ask(options.stream, answer, (say) => {
      if (!session.isOpen) return;
      const consumer = new Consumer(session, stream, options, ears);
      this.#consumers.add(consumer);
      session.onClosed.add(() => this.#consumers.delete(consumer));
      say(yes(consumer));
    });
  }

  unfollow(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  /** Three that begin together elect leaders; each of those says its stream's last message again when it republishes. */
  #elect(): void {
    const ms = this.#chance.between(ELECTION_MS.min, ELECTION_MS.max);
    this.loseLeader(ms);
    this.#time.after(ms, () => {
      if (this.#state !== 'up') return;
      for (const [stream, entry] of this.#jetStream.lasts()) this.#republish(stream, entry);
    });
  }

  #store(statement: Statement, size: number, answer: Answering<Stored>): void {
    const stream = this.#jetStream.of(statement.subject);
    if (stream === undefined) return answer(no('unavailable', 'no stream listens'));
    if (size > stream.shape.sizeMax) return answer(no('refused', 'message size exceeds maximum allowed'));
    const verdict = this.#jetStream.write(stream, statement);
    switch (verdict.is) {
      case 'stored':
        return answer(yes({ sequence: verdict.entry.message.sequence, duplicate: false }));
      case 'duplicate':
        return answer(yes({ sequence: verdict.sequence, duplicate: true }));
      default:
        return answer(no('conflict', `wrong last sequence: ${verdict.last}`));
    }
  }

  #stored(stream: ModelStream, entry: Entry): void {
    this.onStored(stream.shape.name, entry.message);
    this.#republish(stream, entry);
    for (const consumer of this.#consumers) if (consumer.stream === stream) consumer.stored(entry);
  }

  #republish(stream: ModelStream, { message, lastSequence }: Entry): void {
    const subject = stream.shape.republish?.(message.subject);
    if (subject === undefined) return;
    const { body, deleted, sequence } = message;
    this.#route(subject, { subject, body, deleted, sequence, lastSequence });
  }

  #route(subject: string, message: HeardMessage): void {
    const { lost, duplicated } = this.rates;
    for (const { session, hear } of this.#listeners.find(subject)) {
      if (lost > 0 && this.#chance.happens(lost)) continue;
      session.say(() => hear(message));
      if (duplicated > 0 && this.#chance.happens(duplicated)) session.say(() => hear(message));
    }
  }

  #forgetConsumers(stream: string): void {
    for (const consumer of this.#consumers) {
      if (consumer.stream.shape.name !== stream) continue;
      this.#consumers.delete(consumer);
      consumer.end();
    }
  }

  #need(stream: string): ModelStream {
    const found = this.#jetStream.get(stream);
    if (found === undefined) throw new Error(`no stream ${stream}`);
    return found;
  }
}
