import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dockerCredentials } from './registry-credentials.ts';
import type { RegistryError } from './registry-error.ts';

const never = new AbortController().signal;
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A directory of Docker's configuration, and of the helpers on the PATH. */
async function docker(config: unknown, helpers: Readonly<Record<string, string>> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'swell-docker-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(
    join(directory, 'config.json'),
    typeof config === 'string' ? config : JSON.stringify(config),
  );
  for (const [name, script] of Object.entries(helpers)) {
    const file = join(directory, `docker-credential-${name}`);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  }
  return dockerCredentials({ DOCKER_CONFIG: directory, PATH: `${directory}:/usr/bin:/bin` });
}

/** What a search failed with. */
async function failed(search: Promise<unknown>): Promise<RegistryError> {
  return search.then(
    () => expect.fail('it should have failed'),
    (error: RegistryError) => error,
  );
}

test('every way in which docker login keeps an account is understood', async () => {
  const store = await docker({
    auths: {
      'a.example': { auth: base64('ann:pass:word') },
      'b.example:5000': { username: 'bob', password: 'pw' },
      'https://c.example/v2/': { auth: base64('cy:pw\0\0') },
      'd.example': { auth: base64('dee:ignored'), identitytoken: 'refresh' },
      'https://index.docker.io/v1/': { auth: base64('hub:pw') },
      'e.example': {},
    },
  });
  const find = (registry: string) => store.find(registry, never);
  expect(await find('a.example')).toEqual({ kind: 'password', username: 'ann', password: 'pass:word' });
  expect(await find('b.example:5000')).toEqual({ kind: 'password', username: 'bob', password: 'pw' });
  expect(await find('b.example')).toBeUndefined();
  expect(await find('c.example')).toEqual({ kind: 'password', username: 'cy', password: 'pw' });
  expect(await find('d.example')).toEqual({ kind: 'identity-token', token: 'refresh' });
  expect(await find('docker.io')).toEqual({ kind: 'password', username: 'hub', password: 'pw' });
  expect(await find('e.example')).toBeUndefined();
  expect(await find('other.example')).toBeUndefined();
});

test("a registry's own helper goes before the store for all, and both are asked by Docker's key", async () => {
  const echo = `read -r key || true; echo "{\\"ServerURL\\":\\"x\\",\\"Username\\":\\"$key\\",\\"Secret\\":\\"$1-`;
  const store = await docker(
    { credHelpers: { 'ecr.example': 'ecr' }, credsStore: 'desktop' },
    { ecr: `${echo}ecr\\"}"`, desktop: `${echo}desktop\\"}"` },
  );
  expect(await store.find('ecr.example', never)).toEqual({
    kind: 'password',
    username: 'ecr.example',
    password: 'get-ecr',
  });
  expect(await store.find('docker.io', never)).toEqual({
    kind: 'password',
    username: 'https://index.docker.io/v1/',
    password: 'get-desktop',
  });
});

test('a helper that keeps an identity token says so by its user name', async () => {
  const store = await docker(
    { credsStore: 'acr' },
    { acr: `echo '{"ServerURL":"x","Username":"<token>","Secret":"refresh"}'` },
  );
  expect(await store.find('acr.example', never)).toEqual({ kind: 'identity-token', token: 'refresh' });
});

test('a helper that has nothing leaves the word to the file, and then to nobody', async () => {
  const store = await docker(
    { credsStore: 'pass', auths: { 'a.example': { auth: base64('ann:pw') } } },
    { pass: 'echo "credentials not found in native keychain"; exit 1' },
  );
  expect(await store.find('a.example', never)).toEqual({ kind: 'password', username: 'ann', password: 'pw' });
  expect(await store.find('b.example', never)).toBeUndefined();
});

test('a helper that fails is worth another try, one that is missing is not', async () => {
  const store = await docker(
    { credsStore: 'gone', credHelpers: { 'a.example': 'broken', 'b.example': 'odd', 'c.example': '../sh' } },
    { broken: 'echo "keychain is locked"; exit 2', odd: 'echo "hello"' },
  );
  const tell = async (registry: string) => {
    const { code, retryable, message } = await failed(store.find(registry, never));
    return { code, retryable, message };
  };
  expect(await tell('a.example')).toEqual({
    code: 'unavailable',
    retryable: true,
    message: 'docker-credential-broken gives no credentials for a.example: keychain is locked',
  });
  expect(await tell('b.example')).toEqual({
    code: 'unauthorized',
    retryable: false,
    message: 'docker-credential-odd answers what no credential helper should',
  });
  expect(await tell('c.example')).toEqual({
    code: 'unauthorized',
    retryable: false,
    message: `"../sh" in Docker's config.json does not name a helper`,
  });
  expect(await tell('d.example')).toEqual({
    code: 'unauthorized',
    retryable: false,
    message: 'cannot run docker-credential-gone: install it on the PATH of the coordinator',
  });
});

test('waiting for a helper ends with the signal', async () => {
  const store = await docker({ credsStore: 'slow' }, { slow: 'exec sleep 60' });
  const controller = new AbortController();
  const search = store.find('a.example', controller.signal);
  controller.abort(new Error('stopping'));
  await expect(search).rejects.toThrow('stopping');
});

test('without a file there are no credentials', async () => {
  const store = dockerCredentials({ DOCKER_CONFIG: join(tmpdir(), 'swell-no-such-directory') });
  expect(await store.find('a.example', never)).toBeUndefined();
});

test('a file that is broken is named, and never quoted', async () => {
  const wrong = await docker({ auths: { 'a.example': { auth: 1 } } });
  expect((await failed(wrong.find('a.example', never))).message).toMatch(
    /^cannot use \S*config\.json: auths\.a\.example\.auth: Invalid input: expected string, received number$/,
  );
  const cut = await docker('{"auths":{"a.example":{"password":"hunter2');
  const error = await failed(cut.find('a.example', never));
  expect(error.message).toMatch(/^cannot use .*config\.json: it is not JSON$/);
  expect(error.cause).toBeUndefined();
});
