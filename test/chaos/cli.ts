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
      this.#signal.throwIfAborted();
      try {
        const said = await promisify(execFile)(toolPath('nats'), ['--server', this.#servers, ...words], {
          timeout: TIMEOUT_MS,
          killSignal: 'SIGKILL',
          signal: this.#signal,
        });
        return said.stdout + said.stderr;
      } catch {
        await delay(AGAIN_AFTER_MS, undefined, { signal: this.#signal });
      }
    }
  }
}
