import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { BODY_BYTES_MAX } from '@swell/shared/protocol/codec.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EMPTY_JOURNAL } from '../core/state.ts';
import { FileJournals } from './journal.ts';

let folder: string;
let journals: FileJournals;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swell-journal-'));
  journals = await FileJournals.open(join(folder, 'state'));
});
afterEach(() => rm(folder, { recursive: true }));

test('what was saved last is what is loaded', async () => {
  expect(await journals.load('web')).toEqual({ journal: undefined, problems: [] });
  await journals.save('web', EMPTY_JOURNAL);
  const journal = { ...EMPTY_JOURNAL, highest: { wave: 3, halt: 0 } };
  await journals.save('web', journal);
  expect(await journals.load('web')).toEqual({ journal, problems: [] });
});

test('one that cannot be read is put aside with its reason, and the next one is not hindered', async () => {
  const file = join(folder, 'state', 'web.json');
  await writeFile(file, '{"highest":');
  const { journal, problems } = await journals.load('web');
  expect([journal, problems.length]).toEqual([undefined, 1]);
  expect(await readdir(join(folder, 'state'))).toEqual(['web.json.unreadable']);
  expect(await readFile(`${file}.unreadable`, 'utf8')).toBe('{"highest":');
});

test('reports that wait for a bus that is long away are not forgotten at the next start (I8)', async () => {
  const report: NodeReport = {
    id: '7.update.1.failed',
    region: 'eu',
    node: 'n1',
    service: 'web',
    rollout: 7,
    status: 'failed',
    attempt: '7.update.1',
    reason: '漢'.repeat(1_000),
  };
  const journal = { ...EMPTY_JOURNAL, outbox: Array.from({ length: 400 }, () => report) };
  expect(JSON.stringify(journal).length).toBeGreaterThan(BODY_BYTES_MAX);
  await journals.save('web', journal);
  expect(await journals.load('web')).toEqual({ journal, problems: [] });
});
