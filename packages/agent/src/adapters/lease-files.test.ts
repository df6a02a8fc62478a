import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseFiles } from './lease-files.ts';

let folder: string;
let files: LeaseFiles;
let rival: LeaseFiles;
const me = { container: 'me' };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swell-lease-'));
  files = await LeaseFiles.open(folder, 'me');
  rival = await LeaseFiles.open(folder, 'rival');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the files of a lease', () => {
  it('are free where there are none', async () => {
    expect(await files.read()).toEqual({ term: 0, renewals: 0, released: true });
  });

  it('give a term to one of those who ask for it at the same time', async () => {
    const taken = await Promise.all([
      files.take({ term: 1, holder: me, renewals: 0 }),
      rival.take({ term: 1, holder: { container: 'rival' }, renewals: 0 }),
    ]);
    expect(taken.toSorted()).toEqual([false, true]);
    expect((await rival.read()).holder).toEqual(taken[0] ? me : { container: 'rival' });
    expect(await readdir(join(folder, 'lease'))).toEqual(['1']);
  });

  it('show renewals, and refuse one once there is a term beyond', async () => {
    await files.take({ term: 1, holder: me, renewals: 0 });
    expect(await files.renew({ term: 1, holder: me, renewals: 1 })).toBe(true);
    expect(await rival.read()).toEqual({ term: 1, holder: me, renewals: 1 });
    expect(await rival.take({ term: 2, holder: { container: 'rival' }, renewals: 0 })).toBe(true);
    expect(await files.renew({ term: 1, holder: me, renewals: 2 })).toBe(false);
    expect((await files.read()).term).toBe(2);
  });

  it('give no number twice, not even to one who slept until its file was gone', async () => {
    for (let term = 1; term <= 3; term += 1) await rival.take({ term, holder: me, renewals: 0 });
    expect(await readdir(join(folder, 'lease'))).not.toContain('2');
    expect(await files.take({ term: 2, holder: me, renewals: 0 })).toBe(false);
    expect((await files.read()).term).toBe(3);
  });

  it('that nobody can read hold their term all the same', async () => {
    await writeFile(join(folder, 'lease', '7'), 'torn');
    expect(await files.read()).toEqual({ term: 7, renewals: 0 });
  });

  it('keep what an agent says that stands by', async () => {
    expect(await files.standbyWord('b')).toBeUndefined();
    await rival.saveStandbyWord('b', { ready: false, why: 'the bus is out of reach' });
    expect(await files.standbyWord('b')).toEqual({ ready: false, why: 'the bus is out of reach' });
    await rival.saveStandbyWord('b', { ready: true });
    expect(await files.standbyWord('b')).toEqual({ ready: true });
    await files.forgetStandbyWord('b');
    expect(await files.standbyWord('b')).toBeUndefined();
  });
});
