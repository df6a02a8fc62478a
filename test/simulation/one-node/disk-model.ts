/** The state directory that the agents of one machine share: what was written is there for all of them, and outlives them. */

import type { FileJournals, Journals } from '@swell/agent/adapters/journal.ts';
import type { LeaseDisk } from '@swell/agent/adapters/lease-files.ts';
import { type NodeLease } from '@swell/agent/core/node-lease.ts';
import type { Journal } from '@swell/agent/core/state.ts';
import { journalSchema } from '@swell/agent/protocol/journal.ts';
import { nodeLeaseSchema } from '@swell/agent/protocol/node-lease.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import type { Chance } from '../chance.ts';
import type { Process } from '../process.ts';
import type { VirtualTime } from '../time.ts';

/** A disk that others use as well. */
const DISK_MS = 5;

export class DiskModel {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #files = new Map<string, Uint8Array>();
  readonly #journals = new Map<ServiceName, Uint8Array>();

  constructor(time: VirtualTime, chance: Chance) {
    this.#time = time;
    this.#chance = chance;
  }

  /** Each call is one effect: a process may die or be stopped between any two, and others come in between. */
  leaseDisk(process: Process): LeaseDisk {
    const files = this.#files;
    const does = this.#does(process);
    return {
      makeDirectory: () => does('mkdir', () => {}),
      names: (directory) =>
        does('readdir', () => {
          const start = `${directory}/`;
          return [...files.keys()]
            .filter((path) => path.startsWith(start))
            .map((path) => path.slice(start.length));
        }),
      read: (path) => does('read', () => files.get(path)),
      write: (path, body) => does('write', () => void files.set(path, body)),
      rename: (from, to) => does('rename', () => this.#move(from, to)),
      link: (from, to) =>
        does('link', () => {
          if (files.has(to)) return false;
          files.set(to, this.#expect(from));
          return true;
        }),
      remove: (path) => does('rm', () => void files.delete(path)),
    };
  }

  /** @param onDeed told before each save */
  journals(process: Process, onDeed: (name: string) => void): Journals & Pick<FileJournals, 'look'> {
    const does = this.#does(process);
    const load = (service: ServiceName) =>
      does('load', () => ({ journal: this.journal(service), problems: [] }));
    return {
      load,
      look: load,
      save: (service, journal) =>
        process.effect('save', async () => {
          onDeed('save');
          await this.#wait();
          this.#journals.set(service, encode(journal));
        }),
    };
  }

  journal(service: ServiceName): Journal | undefined {
    const body = this.#journals.get(service);
    const read = body === undefined ? undefined : decode(body, journalSchema);
    if (read?.ok === false) throw new Error(`the journal does not round-trip: ${read.problems.join('; ')}`);
    return read?.value;
  }

  /** Whom the newest term names. */
  get lease(): NodeLease {
    const terms = [...this.#files.keys()].map((path) => Number(/\/lease\/(\d+)$/.exec(path)?.[1] ?? 0));
    const term = Math.max(0, ...terms);
    const body = [...this.#files].find(([path]) => path.endsWith(`/lease/${term}`))?.[1];
    const read = body === undefined ? undefined : decode(body, nodeLeaseSchema);
    return read?.ok === true ? { term, ...read.value } : { term, renewals: 0 };
  }

  #does(process: Process): <Value>(name: string, act: () => Value) => Promise<Value> {
    return (name, act) =>
      process.effect(name, async () => {
        await this.#wait();
        return act();
      });
  }

  #wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#time.after(this.#chance.exponential(DISK_MS), resolve);
    return promise;
  }

  #move(from: string, to: string): void {
    this.#files.set(to, this.#expect(from));
    this.#files.delete(from);
  }

  #expect(path: string): Uint8Array {
    const body = this.#files.get(path);
    if (body === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return body;
  }
}
