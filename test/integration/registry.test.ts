import { createRegistry } from '@swell/shared/adapters/registry.ts';
import type { CredentialStore } from '@swell/shared/adapters/registry-credentials.ts';
import { expect, test } from 'vitest';
import { ACCOUNT, pushImage, pushManifest, startDockerRegistry } from '../support/docker-registry.ts';
import { startTokenService } from '../support/token-service.ts';

const never = new AbortController().signal;
const BASIC = `Basic ${btoa(`${ACCOUNT.username}:${ACCOUNT.password}`)}`;

function credentials(password?: string): CredentialStore {
  return {
    place: 'config.json',
    find: async () =>
      password === undefined ? undefined : { kind: 'password', username: ACCOUNT.username, password },
  };
}

const anybody = createRegistry({ credentials: credentials() });

test('a tag is the digest of its manifest, and follows a new push', async () => {
  await using server = await startDockerRegistry();
  const image = { repository: `${server.host}/team/web`, tag: 'v1' };
  const first = await pushImage(server, 'team/web', 'v1', 'one');
  expect(await anybody.resolve(image, never)).toBe(first.digest);
  const second = await pushImage(server, 'team/web', 'v1', 'two');
  expect(second.digest).not.toBe(first.digest);
  expect(await anybody.resolve(image, never)).toBe(second.digest);
  expect(await anybody.resolve({ ...image, digest: first.digest }, never)).toBe(first.digest);
});

test.each([
  ['an OCI index', 'application/vnd.oci.image.index.v1+json'],
  ["Docker's manifest list", 'application/vnd.docker.distribution.manifest.list.v2+json'],
])('a tag on %s is the digest of the whole, not of one platform', async (_, mediaType) => {
  await using server = await startDockerRegistry();
  const amd64 = await pushImage(server, 'web', 'amd64', 'amd64');
  const arm64 = await pushImage(server, 'web', 'arm64', 'arm64');
  const manifests = [
    { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
    { ...arm64, platform: { os: 'linux', architecture: 'arm64' } },
  ].map((entry) => ({ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...entry }));
  const index = await pushManifest(server, 'web', 'v1', { mediaType, rest: { manifests } });
  expect(await anybody.resolve({ repository: `${server.host}/web`, tag: 'v1' }, never)).toBe(index);
});

test('what is not there is not found: tag, digest, repository', async () => {
  await using server = await startDockerRegistry();
  await pushImage(server, 'web', 'v1', 'one');
  const repository = `${server.host}/web`;
  for (const image of [
    { repository, tag: 'v2' },
    { repository, digest: `sha256:${'0'.repeat(64)}` },
    { repository: `${server.host}/other`, tag: 'v1' },
  ]) {
    await expect(anybody.resolve(image, never)).rejects.toMatchObject({
      code: 'not-found',
      retryable: false,
    });
  }
});

test('a registry with accounts lets in who has one', async () => {
  await using server = await startDockerRegistry({ login: 'basic' });
  const { digest } = await pushImage(server, 'web', 'v1', 'one', BASIC);
  const image = { repository: `${server.host}/web`, tag: 'v1' };
  const releaser = createRegistry({ credentials: credentials(ACCOUNT.password) });
  expect(await releaser.resolve(image, never)).toBe(digest);
  const stranger = createRegistry({ credentials: credentials('wrong') });
  for (const registry of [anybody, stranger]) {
    await expect(registry.resolve(image, never)).rejects.toMatchObject({ code: 'unauthorized' });
  }
  await expect(releaser.resolve({ ...image, tag: 'v2' }, never)).rejects.toMatchObject({ code: 'not-found' });
});

test('a registry with a token service is asked with its token, which serves more than once', async () => {
  await using tokens = await startTokenService(BASIC);
  await using server = await startDockerRegistry({ login: tokens });
  const push = `Bearer ${tokens.token('web', ['pull', 'push'])}`;
  const { digest } = await pushImage(server, 'web', 'v1', 'one', push);
  const image = { repository: `${server.host}/web`, tag: 'v1' };
  const releaser = createRegistry({ credentials: credentials(ACCOUNT.password) });
  expect(await releaser.resolve(image, never)).toBe(digest);
  expect(await releaser.resolve({ ...image, digest }, never)).toBe(digest);
  expect(tokens.given()).toBe(1);
  await expect(anybody.resolve(image, never)).rejects.toMatchObject({ code: 'unauthorized' });
});
