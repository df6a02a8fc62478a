import { unitDigest } from '@swell/shared/domain/unit.ts';
import { expect, it } from 'vitest';
import type { InspectedContainer, InspectedImage } from '../inspected.ts';
import { readPart } from '../marks.ts';
import { observation } from './observing.ts';

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;
const C = `sha256:${'c'.repeat(64)}`;
const IMAGES: Readonly<Record<string, InspectedImage>> = {
  web: { Id: 'web', RepoDigests: [`registry.example/web@${A}`] },
  // A registry gave it two.
  worker: { Id: 'worker', RepoDigests: [`registry.example/worker@${B}`, `registry.example/worker@${C}`] },
  local: { Id: 'local', RepoDigests: [] },
};

function container(part: string, image: string, labels: object = {}, reference = image): InspectedContainer {
  return {
    Id: `${part} of ${image}`,
    Name: `/${part}`,
    Image: image,
    State: { Status: 'running', Running: true },
    Config: { Image: reference, Labels: { 'com.docker.compose.service': part, ...labels } },
    HostConfig: { RestartPolicy: { Name: 'always' } },
    NetworkSettings: {},
  };
}

function observe(...containers: readonly InspectedContainer[]) {
  return observation({ kind: 'settled', parts: containers.map(readPart) }, containers, {
    dockerd: { image: async (id) => IMAGES[id] },
    asking: { locked: async () => undefined },
  });
}

it('B18: parts are known by the digest of their unit, and a service of one part by its image', async () => {
  expect(await observe(container('web', 'web'), container('worker', 'worker'))).toEqual({
    state: 'running',
    digests: [unitDigest({ web: A, worker: B })],
    parts: ['web', 'worker'],
  });
  expect(await observe(container('web', 'web'), container('web', 'web'))).toEqual({
    state: 'running',
    digests: [A],
    parts: ['web'],
  });
});

it('B18: parts of one image are known by both', async () => {
  const { digests } = await observe(container('web', 'web'), container('worker', 'web'));
  expect(digests).toEqual([A, unitDigest({ web: A, worker: A })]);
});

it('B18: of an image with several digests the one counts that it was brought by', async () => {
  const worker = container('worker', 'worker', {}, `registry.example/worker@${C}`);
  const { digests } = await observe(container('web', 'web'), worker);
  expect(digests).toEqual([unitDigest({ web: A, worker: C })]);
});

it('B18: where a part was built on the node, or differs from its replica, nothing stands for the whole', async () => {
  expect((await observe(container('web', 'web'), container('worker', 'local'))).digests).toEqual([]);
  const three = [container('web', 'web'), container('web', 'worker'), container('worker', 'worker')];
  expect((await observe(...three)).digests).toEqual([]);
});

it('I12: what an operator says of one container holds for all that go with it', async () => {
  const frozen = container('worker', 'worker', { 'swell.freeze': 'true' });
  const { word } = await observe(container('web', 'web'), frozen);
  expect(word).toEqual({ ok: true, value: [{ freeze: true }] });
  const unreadable = container('worker', 'worker', { 'swell.freeze': 'perhaps' });
  expect((await observe(frozen, unreadable)).word?.ok).toBe(false);
});
