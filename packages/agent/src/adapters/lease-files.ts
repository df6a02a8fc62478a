/**
 * The node's lease as files of the state directory, one for each term. A term's file is linked into place with its whole
 * content, which fails where there is one already: so each number is given once, whoever asks at the same time.
 */

import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import type { NodeLease } from '../core/node-lease.ts';
import { nodeLeaseSchema, type StandbyWord, standbyWordSchema } from '../protocol/node-lease.ts';

/** Unreadable for whoever looks while the directory changes under him. */
const LOOKS_MAX = 20;

export class LeaseFiles {
  readonly #directory: string;
  /** Of this process alone, which writes one thing at a time. */
  readonly #draft: string;

  private constructor(directory: string, draft: string) {
    this.#directory = directory;
    this.#draft = draft;
  }

  /**
   * Throws where the directory cannot be made or written.
   *
   * @param mark tells this process from every other one that uses the directory
   */
  static async open(stateDir: string, mark: string): Promise<LeaseFiles> {
    const directory = join(stateDir, 'lease');
    await mkdir(directory, { recursive: true });
    return new LeaseFiles(directory, join(directory, `draft.${mark}`));
  }

  /** The newest term; 0 where there was none. */
  async read(): Promise<NodeLease> {
    for (let look = 1; look <= LOOKS_MAX; look += 1) {
      const term = Math.max(0, ...(await this.#terms()));
      if (term === 0) return { term, renewals: 0, released: true };
      const body = await readFile(this.#file(term)).catch(whereMissing);
      if (body === undefined) continue;
      const read = decode(body, nodeLeaseSchema);
      return read.ok ? { term, ...read.value } : { term, renewals: 0 };
    }
    throw new Error(`the files in ${this.#directory} change faster than they can be read`);
  }

  /** @returns whether the term is ours: it was free, and nobody has gone beyond it */
  async take({ term, ...lease }: NodeLease): Promise<boolean> {
    await writeFile(this.#draft, encode(lease), { mode: 0o600 });
    try {
      await link(this.#draft, this.#file(term));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(this.#draft, { force: true });
    }
    const terms = await this.#terms();
    const isNewest = terms.every((other) => other <= term);
    // A number that was taken away long ago may be given to somebody who slept meanwhile.
    const past = isNewest ? terms.filter((other) => other < term) : [term];
    for (const other of past) await rm(this.#file(other), { force: true });
    return isNewest;
  }

  /** @returns whether there is no term beyond it */
  async renew({ term, ...lease }: NodeLease): Promise<boolean> {
    await writeFile(this.#draft, encode(lease), { mode: 0o600 });
    await rename(this.#draft, this.#file(term));
    return (await this.#terms()).every((other) => other <= term);
  }

  /** What the agent in a container said when it stood by. */
  async standbyWord(container: string): Promise<StandbyWord | undefined> {
    const body = await readFile(this.#word(container)).catch(whereMissing);
    const read = body === undefined ? undefined : decode(body, standbyWordSchema);
    return read?.ok === true ? read.value : undefined;
  }

  async saveStandbyWord(container: string, word: StandbyWord): Promise<void> {
    const draft = `${this.#draft}.word`;
    await writeFile(draft, encode(word), { mode: 0o600 });
    await rename(draft, this.#word(container));
  }

  async forgetStandbyWord(container: string): Promise<void> {
    await rm(this.#word(container), { force: true });
  }

  async #terms(): Promise<readonly number[]> {
    const names = await readdir(this.#directory);
    return names.filter((name) => /^\d{1,15}$/.test(name)).map(Number);
  }

  #file(term: number): string {
    return join(this.#directory, `${term}`);
  }

  #word(container: string): string {
    return join(this.#directory, `standby.${container}`);
  }
}

function whereMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
