/**
 * A steady stream of requests over keep-alive connections. Each connection sends one at a time, GET and POST by turns,
 * and each request either is answered as it has to be or has failed: none is sent again.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Latencies } from './latencies.ts';

export interface RequestsOptions {
  /** Of the loopback. */
  readonly port: number;
  readonly connections: number;
  /** Each connection sends a request so often. */
  readonly everyMs: number;
}

/** Why a request failed: cut off without an answer, not in time, never sent, answered with that status, or with something else. */
export type Failure = 'reset' | 'timeout' | 'not connected' | 'wrong body' | `status ${number}`;

export interface Tally {
  readonly requests: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<Failure, number>>>;
  readonly latencies: Latencies;
}

/** A POST is worked on for so long, one after the other; nothing takes longer. */
const WORKED_ON_MS: readonly number[] = [20, 50, 100, 300];

const TIMEOUT_MS = 10_000;
const TICK_MS = 5;
const CONNECTING_AT_ONCE = 100;
const BODY = 'x'.repeat(1_000);

export class Requests implements AsyncDisposable {
  readonly #clients: readonly Client[];
  readonly #everyMs: number;
  readonly #beganMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #begun = 0;
  #failures = new Map<Failure, number>();
  #requests = 0;
  #latencies = new Latencies();

  private constructor(clients: readonly Client[], everyMs: number) {
    this.#clients = clients;
    this.#everyMs = everyMs;
    this.#timer = setInterval(() => this.#send(), TICK_MS);
  }

  /** Resolves once every connection stands. */
  static async open({ port, connections, everyMs }: RequestsOptions): Promise<Requests> {
    // Half of them begin with a GET, half with a POST.
    const clients = Array.from({ length: connections }, (_, index) => new Client(port, index));
    const waiting = clients.values();
    const lanes = Array.from({ length: Math.min(CONNECTING_AT_ONCE, connections) }, async () => {
      for (const client of waiting) await client.open();
    });
    await Promise.all(lanes);
    return new Requests(clients, everyMs);
  }

  /** How many have ended since then. */
  get count(): number {
    return this.#requests;
  }

  /** All that has ended since the last time this was asked. */
  take(): Tally {
    const failures = Object.fromEntries(this.#failures);
    const failed = [...this.#failures.values()].reduce((sum, count) => sum + count, 0);
    const tally = { requests: this.#requests, failed, failures, latencies: this.#latencies };
    this.#requests = 0;
    this.#failures = new Map();
    this.#latencies = new Latencies();
    return tally;
  }

  /** Waits for what is under way, and hangs up. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }

  /** Everybody whose turn has come since the last time, in a round. Who still waits for an answer lets it pass. */
  #send(): void {
    const elapsedMs = performance.now() - this.#beganMs;
    const due = Math.floor((elapsedMs / this.#everyMs) * this.#clients.length);
    for (; this.#begun < due; this.#begun += 1) {
      const client = this.#clients[this.#begun % this.#clients.length];
      if (client === undefined || client.isBusy) continue;
      void client.request(this.#begun).then((outcome) => this.#count(outcome));
    }
  }

  #count(outcome: number | Failure): void {
    this.#requests += 1;
    if (typeof outcome === 'number') this.#latencies.add(outcome);
    else this.#failures.set(outcome, (this.#failures.get(outcome) ?? 0) + 1);
  }
}

/** One connection, which is made anew for the next request where it was closed. */
class Client {
  readonly #port: number;
  #socket: Socket | undefined;
  #underWay: Promise<number | Failure> | undefined;
  #turns: number;

  constructor(port: number, turns: number) {
    this.#port = port;
    this.#turns = turns;
  }

  get isBusy(): boolean {
    return this.#underWay !== undefined;
  }

  async open(): Promise<Socket> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('utf8');
    await once(socket, 'connect');
    // A connection that is closed while nothing is under way is no failure: HTTP allows it.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    this.#socket = socket;
    return socket;
  }

  /** How long it took in ms, or why it failed. */
  async request(number: number): Promise<number | Failure> {
    this.#underWay = this.#ask(number);
    const outcome = await this.#underWay;
    this.#underWay = undefined;
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#underWay;
    this.#socket?.destroy();
  }

  async #ask(number: number): Promise<number | Failure> {
    const isPost = this.#turns % 2 === 1;
    this.#turns += 1;
    const beganMs = performance.now();
    const socket = this.#socket ?? (await this.open().catch(() => undefined));
    if (socket === undefined) return 'not connected';
    const body = isPost ? `${number} ${BODY}` : undefined;
    const outcome = exchange(
      socket,
      requestText(body, WORKED_ON_MS[number % WORKED_ON_MS.length] ?? 0),
      body,
    );
    const failure = await outcome;
    if (failure !== undefined) socket.destroy();
    return failure ?? performance.now() - beganMs;
  }
}

function requestText(body: string | undefined, ms: number): string {
  if (body === undefined) return 'GET / HTTP/1.1\r\nhost: web\r\n\r\n';
  return `POST /?ms=${ms} HTTP/1.1\r\nhost: web\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Sends it and reads the answer; undefined: all is as it should be. */
function exchange(socket: Socket, question: string, body: string | undefined): Promise<Failure | undefined> {
  const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
  let received = '';
  const onData = (part: string): void => {
    received += part;
    const answer = readAnswer(received);
    if (answer === undefined) return;
    if (answer.status !== 200) resolve(`status ${answer.status}`);
    else resolve(body === undefined || answer.body === body ? undefined : 'wrong body');
  };
  const onClose = (): void => resolve('reset');
  const timer = setTimeout(() => resolve('timeout'), TIMEOUT_MS);
  socket.on('data', onData).on('close', onClose);
  socket.write(question);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', onData).off('close', onClose);
  });
}

/** A whole answer with a length; undefined while it is not all there. */
function readAnswer(received: string): { readonly status: number; readonly body: string } | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = received.slice(0, end);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
  // HAProxy's own pages are failures, however long they are.
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const body = received.slice(end + 4);
  return body.length < length ? undefined : { status, body };
}
