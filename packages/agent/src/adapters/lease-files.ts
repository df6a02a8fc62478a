/**
 * The node's lease as files of the state directory, one for each term. A term's file is linked into place with its whole
 * content, which fails where there is one already: so each number is given once, whoever asks at the same time.
 */

import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import type { NodeLease } from '../core/node-lease.ts';
import { nodeLeaseSchema, type StandbyWord, standbyWordSchema } from '../protocol/node-lease.ts';

/** What it asks of a file system, in the words of `node:fs/promises`; the simulation lends its own. */
export interface LeaseDisk {
  makeDirectory(path: string): Promise<unknown>;
  names(directory: string): Promise<readonly string[]>;
  /** Undefined where there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  write(path: string, body: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** @returns false where there is one of that name */
  link(from: string, to: string): Promise<boolean>;
  /** Whether or not it is there. */
  remove(path: string): Promise<void>;
}

const systemDisk: LeaseDisk = {
  makeDirectory: (path) => mkdir(path, { recursive: true }),
  names: (directory) => readdir(directory),
  read: (path) => readFile(path).catch(where('ENOENT', undefined)),
  write: (path, body) => writeFile(path, body, { mode: 0o600 }),
  rename,
  link: (from, to) => link(from, to).then(() => true, where('EEXIST', false)),
  remove: (path) => rm(path, { force: true }),
};

/** Unreadable for whoever looks while the directory changes under him. */
const LOOKS_MAX = 20;

export class LeaseFiles {
  readonly #disk: LeaseDisk;
  readonly #directory: string;
  /** Of this process alone, which writes one thing at a time. */
  readonly #draft: string;

  private constructor(disk: LeaseDisk, directory: string, draft: string) {
    this.#disk = disk;
    this.#directory = directory;
    this.#draft = draft;
  }

  /**
   * Throws where the directory cannot be made or written.
   *
   * @param mark tells this process from every other one that uses the directory
   */
  static async open(stateDir: string, mark: string, disk: LeaseDisk = systemDisk): Promise<LeaseFiles> {
    const directory = join(stateDir, 'lease');
    await disk.makeDirectory(directory);
    return new LeaseFiles(disk, directory, join(directory, `draft.${mark}`));
  }

  /** The newest term; 0 where there was none. */
  async read(): Promise<NodeLease> {
    for (let look = 1; look <= LOOKS_MAX; look += 1) {
      const term = Math.max(0, ...(await this.#terms()));
      if (term === 0) return { term, renewals: 0, released: true };
      const body = await this.#disk.read(this.#file(term));
      if (body === undefined) continue;
      const read = decode(body, nodeLeaseSchema);
      return read.ok ? { term, ...read.value } : { term, renewals: 0 };
    }
    throw new Error(`the files in ${this.#directory} change faster than they can be read`);
  }

  /** @returns whether the term is ours: it was free, and nobody has gone beyond it */
  async take({ term, ...lease }: NodeLease): Promise<boolean> {
    await this.#disk.write(this.#draft, encode(lease));
    try {
      if (!(await this.#disk.link(this.#draft, this.#file(term)))) return false;
    } finally {
      await this.#disk.remove(this.#draft);
    }
    const terms = await this.#terms();
    const isNewest = terms.every((other) => other <= term);
    // A number that was taken away long ago may be given to somebody who slept meanwhile.
    const past = isNewest ? terms.filter((other) => other < term) : [term];
    for (const other of past) await this.#disk.remove(this.#file(other));
    return isNewest;
  }

  /** @returns whether there is no term beyond it */
  async renew({ term, ...lease }: NodeLease): Promise<boolean> {
    await this.#disk.write(this.#draft, encode(lease));
    await this.#disk.rename(this.#draft, this.#file(term));
    return (await this.#terms()).every((other) => other <= term);
  }

  /** What the agent in a container said when it stood by. */
  async standbyWord(container: string): Promise<StandbyWord | undefined> {
    const body = await this.#disk.read(this.#word(container));
    const read = body === undefined ? undefined : decode(body, standbyWordSchema);
    return read?.ok === true ? read.value : undefined;
  }

  async saveStandbyWord(container: string, word: StandbyWord): Promise<void> {
    const draft = `${this.#draft}.word`;
    await this.#disk.write(draft, encode(word));
    await this.#disk.rename(draft, this.#word(container));
  }

  async forgetStandbyWord(container: string): Promise<void> {
    await this.#disk.remove(this.#word(container));
  }

  async #terms(): Promise<readonly number[]> {
    const names = await this.#disk.names(this.#directory);
    return names.filter((name) => /^\d{1,15}$/.test(name)).map(Number);
  }

  #file(term: number): string {
    return join(this.#directory, `${term}`);
  }

  #word(container: string): string {
    return join(this.#directory, `standby.${container}`);
  }
}

function where<Value>(code: string, value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code !== code) throw error;
    return value;
  };
}
