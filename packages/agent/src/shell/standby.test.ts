import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BusError } from '@swell/shared/adapters/bus.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileJournals } from '../adapters/journal.ts';
import { MemoryEngine, MemoryNode } from '../adapters/memory-engine.ts';
import { EMPTY_JOURNAL } from '../core/state.ts';
import type { StandbyWord } from '../protocol/node-lease.ts';
import { Standby } from './standby.ts';

let folder: string;
let journals: FileJournals;
let said: StandbyWord[];
const node = new MemoryNode({ web: { up: true }, agent: { up: true } });
const bus: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swell-standby-'));
  journals = await FileJournals.open(folder);
  said = [];
});
afterEach(() => rm(folder, { recursive: true }));

/** @param onSleep what happens between two looks */
function standby(
  connectBus: () => Promise<AsyncDisposable>,
  onSleep: () => Promise<void> = async () => {},
): Standby {
  return new Standby({
    host: { ...systemHost, sleep: onSleep },
    logger: createLogger({ name: 'agent', level: 'silent' }),
    openToLook: () => new MemoryEngine(node),
    journals,
    connectBus,
    say: async (word) => void said.push(word),
  });
}

describe('an agent that stands by', () => {
  it('says that it could take over once it has seen engine, journals and bus', async () => {
    await journals.save('web', { ...EMPTY_JOURNAL, mark: 'theirs-' });
    const one = standby(async () => bus);
    expect(one.readiness().ready).toBe(false);
    await one.prove(never);
    expect(said).toEqual([{ ready: true }]);
    expect(one.readiness()).toEqual({ ready: true });
    expect(one.tellRotation()).toMatchObject({ is: 'unknown' });
  });

  it('says what it lacks, once, until it has it', async () => {
    let looks = 0;
    const one = standby(async () => {
      looks += 1;
      if (looks < 3) throw new BusError('unavailable', 'the bus is out of reach');
      return bus;
    });
    await one.prove(never);
    expect(said).toEqual([{ ready: false, why: 'the bus is out of reach' }, { ready: true }]);
  });

  it('leaves a journal that it cannot read where it lies, and does not call that ready', async () => {
    await writeFile(join(folder, 'web.json'), '{"of": "another age"}');
    const one = standby(
      async () => bus,
      async () => {
        expect(await readdir(folder)).toEqual(['web.json']);
        await rm(join(folder, 'web.json'));
      },
    );
    await one.prove(never);
    expect(said).toEqual([
      { ready: false, why: expect.stringContaining('the journal of web does not parse') },
      { ready: true },
    ]);
  });
});
