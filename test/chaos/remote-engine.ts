/** {@link Engine} of a machine in another process. Who loses the connection to it has lost everything, and ends. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Engine, EngineError } from '@swell/agent/adapters/engine.ts';
import type { Leave, Observation, ProbeOutcome, SwapOrder } from '@swell/agent/core/container.ts';
import { Mailbox } from '@swell/shared/adapters/mailbox.ts';
import type { Probe } from '@swell/shared/domain/health.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import type { ReleaseImage } from '@swell/shared/domain/unit.ts';
import { type Answer, type Asked, readLines, writeLine } from './wire.ts';

export class RemoteEngine implements Engine {
  readonly kind = 'memory';
  readonly #socket: Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #changes = new Mailbox<ServiceName>();
  #asked = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    readLines(socket, (line) => this.#hear(line as Answer));
  }

  static async open(path: string, node: string): Promise<RemoteEngine> {
    const socket = connect(path);
    await once(socket, 'connect');
    writeLine(socket, { node });
    return new RemoteEngine(socket);
  }

  services(): Promise<readonly ServiceName[]> {
    return this.#ask('services') as Promise<readonly ServiceName[]>;
  }

  observe(service: ServiceName): Promise<Observation> {
    return this.#ask('observe', service) as Promise<Observation>;
  }

  async stageImage(image: ReleaseImage, signal: AbortSignal, service?: ServiceName): Promise<void> {
    signal.throwIfAborted();
    await this.#ask('stageImage', image, service);
  }

  cleanImages(service: ServiceName, wanted?: readonly Digest[]): Promise<readonly string[]> {
    return this.#ask('cleanImages', service, wanted) as Promise<readonly string[]>;
  }

  async prepareSwap(order: SwapOrder): Promise<void> {
    await this.#ask('prepareSwap', order);
  }

  startBeside(service: ServiceName): Promise<boolean> {
    return this.#ask('startBeside', service) as Promise<boolean>;
  }

  cutOver(service: ServiceName, left?: number): Promise<number> {
    return this.#ask('cutOver', service, left) as Promise<number>;
  }

  askLeave(service: ServiceName): Promise<Leave> {
    return this.#ask('askLeave', service) as Promise<Leave>;
  }

  confirm(service: ServiceName): Promise<string | undefined> {
    return this.#ask('confirm', service) as Promise<string | undefined>;
  }

  countInFlight(service: ServiceName, inFlight: InFlight, timeoutMs: number): Promise<number | undefined> {
    return this.#ask('countInFlight', service, inFlight, timeoutMs) as Promise<number | undefined>;
  }

  async commitSwap(service: ServiceName): Promise<void> {
    await this.#ask('commitSwap', service);
  }

  async undoSwap(service: ServiceName): Promise<void> {
    await this.#ask('undoSwap', service);
  }

  probe(service: ServiceName, probe: Probe, timeoutMs: number): Promise<ProbeOutcome> {
    return this.#ask('probe', service, probe, timeoutMs) as Promise<ProbeOutcome>;
  }

  changes(): AsyncIterable<ServiceName> {
    return this.#changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.close();
    this.#socket.destroy();
  }

  #ask(asked: Asked, ...args: readonly unknown[]): Promise<unknown> {
    this.#asked += 1;
    const answered = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#asked, answered);
    writeLine(this.#socket, { id: this.#asked, asked, args });
    return answered.promise;
  }

  #hear(answer: Answer): void {
    if ('touched' in answer) return this.#changes.put(answer.touched);
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('failed' in answer) waiting?.reject(new EngineError(answer.failed.code, answer.failed.message));
    else waiting?.resolve(answer.value);
  }
}
