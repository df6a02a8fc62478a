/** People have nothing but the `nats` CLI. What did not work they try again. */

import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { storedSequence } from '../fleet/fleet.ts';
import { toolPath } from '../support/tools.ts';

const TIMEOUT_MS = 10_000;
const AGAIN_AFTER_MS = 500;

export class Cli {
  readonly #servers: string;
  readonly #signal: AbortSignal;
  #hush: Promise<unknown> = Promise.resolve();
  #running: Promise<unknown> = Promise.resolve();

  constructor(urls: readonly string[], signal: AbortSignal) {
    this.#servers = urls.join(',');
    this.#signal = signal;
  }

  /** Publishes until it is stored; returns its sequence. */
  async publish(subject: string, body: string): Promise<number> {
    return storedSequence(await this.run('pub', '-J', '--no-templates', subject, body));
  }

  /** Runs a command until it succeeds; returns what it said. */
  async run(...words: readonly string[]): Promise<string> {
    for (;;) {
      await this.#hush;
      this.#signal.throwIfAborted();
      const running = this.#once(words);
      this.#running = Promise.allSettled([this.#running, running]);
      try {
        return await running;
      } catch {
        await delay(AGAIN_AFTER_MS, undefined, { signal: this.#signal });
      }
    }
  }

  /** Nobody says a word by this while `act` goes on; it begins when everybody has fallen silent. */
  async hush(act: () => Promise<void>): Promise<void> {
    const over = Promise.withResolvers<void>();
    this.#hush = over.promise;
    try {
      await this.#running;
      await act();
    } finally {
      over.resolve();
    }
  }

  async #once(words: readonly string[]): Promise<string> {
    const said = await promisify(execFile)(toolPath('nats'), ['--server', this.#servers, ...words], {
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      signal: this.#signal,
    });
    return said.stdout + said.stderr;
  }
}
