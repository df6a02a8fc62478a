/** One small file for each service, replaced as a whole: after any crash it is the old one or the new one. */

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import type { Journal } from '../core/state.ts';
import { journalSchema } from '../protocol/journal.ts';

/** Of our own hand: as long as the longest that is ever saved, with hundreds of reports that wait for the bus. */
const JOURNAL_BYTES_MAX = 16 * 1_048_576;

export interface Loaded {
  readonly journal: Journal | undefined;
  readonly problems: readonly string[];
}

/** What an agent remembers across its own death. */
export interface Journals {
  /**
   * @returns what was saved last, if anything was. One that does not parse is put aside, and its problems are returned
   *   instead: the containers' own marks are enough to recover by.
   */
  load(service: ServiceName): Promise<Loaded>;
  /** Returns once it would survive a loss of power. */
  save(service: ServiceName, journal: Journal): Promise<void>;
}

export class FileJournals implements Journals {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Throws where the directory cannot be made or written: an agent without a memory must not begin. */
  static async open(directory: string): Promise<FileJournals> {
    await mkdir(directory, { recursive: true });
    return new FileJournals(directory);
  }

  async load(service: ServiceName): Promise<Loaded> {
    const file = this.#file(service);
    const loaded = await this.look(service);
    if (loaded.problems.length > 0) await rename(file, `${file}.unreadable`);
    return loaded;
  }

  /** As {@link load}, by somebody who may change nothing. */
  async look(service: ServiceName): Promise<Loaded> {
    const body = await readFile(this.#file(service)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (body === undefined) return { journal: undefined, problems: [] };
    const journal = decode(body, journalSchema, JOURNAL_BYTES_MAX);
    return journal.ok
      ? { journal: journal.value, problems: [] }
      : { journal: undefined, problems: journal.problems };
  }

  async save(service: ServiceName, journal: Journal): Promise<void> {
    const file = this.#file(service);
    const next = await open(`${file}.next`, 'w', 0o600);
    try {
      await next.writeFile(encode(journal));
      await next.sync();
    } finally {
      await next.close();
    }
    await rename(`${file}.next`, file);
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  #file(service: ServiceName): string {
    return join(this.#directory, `${service}.json`);
  }
}
