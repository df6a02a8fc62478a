import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OperatorFile } from './operator.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swell-operator-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('a policy file is read anew each time; one that is not there leaves everything to the fleet', async () => {
  const path = join(directory, 'policy.json');
  const operator = new OperatorFile(path);
  expect(await operator.read('web')).toEqual({ ok: true, value: [] });
  await writeFile(path, '{"services":{"web":{"freeze":true}}}');
  expect(await operator.read('web')).toEqual({ ok: true, value: [{ freeze: true }] });
  await writeFile(path, '{"services":{"web":{"freeze":');
  expect(await operator.read('web')).toMatchObject({
    ok: false,
    problems: [expect.stringMatching(/^\/.*policy\.json: the message is not JSON/)],
  });
  await rm(path);
  expect(await operator.read('web')).toEqual({ ok: true, value: [] });
});

test('one that cannot be read is a problem: it may forbid anything', async () => {
  const path = join(directory, 'folder.json');
  await mkdir(path);
  expect(await new OperatorFile(path).read('web')).toEqual({
    ok: false,
    problems: [`${path} cannot be read: EISDIR`],
  });
});
