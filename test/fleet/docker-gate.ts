/**
 * A way to dockerd with a gate in it: what an agent asks of Docker can be held at a certain request, for as long as a
 * test wants. So an agent is killed or frozen in the very middle of a step, and not somewhere near it.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is asked of Docker: `POST /containers/create?name=x`, without the version. */
export type Question = string;

/** `before` dockerd hears of the request, or `after` dockerd has done it and nobody has been told. */
export interface Moment {
  readonly pattern: RegExp;
  readonly when: 'before' | 'after';
  /** So many that fit are let through first. */
  readonly passing?: number;
}

interface Hold extends Required<Moment> {
  passing: number;
  readonly arrived: PromiseWithResolvers<Question>;
  readonly released: PromiseWithResolvers<void>;
}

export interface Held {
  /** Resolves when a request that fits has come. */
  readonly arrived: Promise<Question>;
  release(): void;
}

const SOCKET = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');

export class DockerGate implements AsyncDisposable {
  readonly #server = createServer((asked, answer) => void this.#pass(asked, answer));
  readonly #socket: string;
  #holds: Hold[] = [];

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /**
   * @param at path of a socket; a port of the loopback where it is missing
   * @param to dockerd's own socket
   */
  static async open({ at: path, to = SOCKET }: { at?: string; to?: string } = {}): Promise<DockerGate> {
    const gate = new DockerGate(to);
    // As dockerd does, it waits for who is frozen, and closes no connection of his.
    gate.#server.keepAliveTimeout = 0;
    gate.#server.headersTimeout = 0;
    gate.#server.requestTimeout = 0;
    if (path === undefined) gate.#server.listen(0, '127.0.0.1');
    else gate.#server.listen({ path, readableAll: true, writableAll: true });
    await once(gate.#server, 'listening');
    return gate;
  }

  /** For the environment of an agent. */
  get dockerHost(): string {
    const address = this.#server.address() as AddressInfo | string;
    return typeof address === 'string' ? `unix://${address}` : `tcp://127.0.0.1:${address.port}`;
  }

  /** Holds a request that fits. One whose asker died meanwhile is not let through. */
  hold({ pattern, when, passing = 0 }: Moment): Held {
    const hold: Hold = {
      pattern,
      when,
      passing,
      arrived: Promise.withResolvers(),
      released: Promise.withResolvers(),
    };
    this.#holds.push(hold);
    return { arrived: hold.arrived.promise, release: () => hold.released.resolve() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { released } of this.#holds) released.resolve();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const question = `${asked.method} ${(asked.url ?? '').replace(/^\/v[\d.]+/, '')}`;
    const hold = this.#due(question);
    if (hold?.when === 'before') {
      hold.arrived.resolve(question);
      await hold.released.promise;
      if (answer.destroyed || asked.destroyed) return;
    }
    const { method, url, headers } = asked;
    const onward = request({ socketPath: this.#socket, method, path: url, headers }, (answered) => {
      void (async () => {
        if (hold?.when === 'after') {
          hold.arrived.resolve(question);
          await hold.released.promise;
        }
        answer.writeHead(answered.statusCode ?? 502, answered.headers);
        // Streams of events have no end: what is there is sent at once.
        answer.flushHeaders();
        answered.pipe(answer);
      })();
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  }

  /** The hold that takes this request; it takes no other. */
  #due(question: Question): Hold | undefined {
    const fitting = this.#holds.find(({ pattern }) => pattern.test(question));
    if (fitting === undefined) return undefined;
    fitting.passing -= 1;
    if (fitting.passing >= 0) return undefined;
    this.#holds = this.#holds.filter((one) => one !== fitting);
    return fitting;
  }
}
