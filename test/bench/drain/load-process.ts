import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Latencies } from '../../support/traffic/latencies.ts';
import type { RequestsOptions, Tally } from '../../support/traffic/requests.ts';

export type LoadQuestion = 'count' | 'take';
export type LoadAnswer =
  | { readonly kind: 'open' }
  | { readonly kind: 'counted'; readonly count: number }
  | {
      readonly kind: 'taken';
      readonly tally: Omit<Tally, 'latencies'> & { readonly latencies: ReturnType<Latencies['entries']> };
    };

/** A stream of requests that another process makes. */
export class LoadProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves once every connection stands. */
  static async open({ port, connections, everyMs }: RequestsOptions): Promise<LoadProcess> {
    const child = fork(join(import.meta.dirname, 'load.ts'), [port, connections, everyMs].map(String));
    const load = new LoadProcess(child);
    await load.#answer('open');
    return load;
  }

  /** How many requests have ended since the last {@link take}. */
  async count(): Promise<number> {
    this.#child.send('count' satisfies LoadQuestion);
    return (await this.#answer('counted')).count;
  }

  async take(): Promise<Tally> {
    this.#child.send('take' satisfies LoadQuestion);
    const { tally } = await this.#answer('taken');
    return { ...tally, latencies: Latencies.of(tally.latencies) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }

  async #answer<Kind extends LoadAnswer['kind']>(kind: Kind): Promise<Extract<LoadAnswer, { kind: Kind }>> {
    const ended = new AbortController();
    const exited = once(this.#child, 'exit', { signal: ended.signal }).then(
      () => Promise.reject(new Error('the process that makes the load has ended')),
      () => new Promise<never>(() => {}),
    );
    try {
      const [answer] = (await Promise.race([once(this.#child, 'message'), exited])) as [LoadAnswer];
      if (answer.kind !== kind) throw new Error(`the load said ${answer.kind}, not ${kind}`);
      return answer as Extract<LoadAnswer, { kind: Kind }>;
    } finally {
      ended.abort();
    }
  }
}
