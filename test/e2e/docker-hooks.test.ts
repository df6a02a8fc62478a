/** What an application and its operator say by labels, on a real dockerd: hooks, the update lock, pins. */

import { randomUUID } from 'node:crypto';
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import {
  buildLocalImage,
  removeByLabel,
  removeContainers,
  TEST_LABEL,
  testDocker,
} from '../support/docker.ts';
import { describeWithDocker } from '../support/needs.ts';

const RUN = randomUUID().slice(0, 8);
const SERVICE = 'web';
const LOCK = '/var/lock/update';

describeWithDocker('hooks and locks', () => {
  const docker = testDocker();
  const engine = new DockerEngine({
    docker,
    scope: { label: TEST_LABEL, value: RUN },
    auth: async () => undefined,
  });
  let image = '';

  beforeAll(async () => {
    image = await buildLocalImage(docker, {
      repository: 'swell-test/hooks',
      tag: RUN,
      version: 'v1',
      label: RUN,
      dockerfile: ['RUN ["/bin/busybox", "--install", "/bin"]', 'RUN ["/bin/mkdir", "-p", "/var/lock"]'],
    });
  });

  afterEach(() => removeContainers(docker, RUN));

  afterAll(async () => {
    await removeByLabel(docker, RUN);
    await engine[Symbol.asyncDispose]();
  });

  async function run(labels: Readonly<Record<string, string>>): Promise<Docker.Container> {
    const container = await docker.createContainer({
      Image: image,
      Labels: { 'swell.service': SERVICE, [TEST_LABEL]: RUN, ...labels },
    });
    await container.start();
    return container;
  }

  async function inside(container: Docker.Container, line: string): Promise<void> {
    const exec = await container.exec({ Cmd: ['sh', '-c', line], AttachStdout: true });
    const output = await exec.start({});
    const { promise, resolve } = Promise.withResolvers<void>();
    output.on('end', resolve).resume();
    await promise;
    expect((await exec.inspect()).ExitCode).toBe(0);
  }

  it.each([
    ['that ends with 0 gives leave', 'echo "all quiet"', { is: 'given' }],
    [
      'that ends with 75 asks for later',
      'echo "a game is on"; exit 75',
      { is: 'deferred', why: 'swell.pre-update ended with 75: a game is on' },
    ],
    [
      'that ends otherwise vetoes',
      'echo "schema 3" >&2; exit 1',
      { is: 'vetoed', why: 'swell.pre-update ended with 1: schema 3' },
    ],
    [
      'of words runs without a shell',
      '["/bin/busybox", "false"]',
      { is: 'vetoed', why: 'swell.pre-update ended with 1' },
    ],
    [
      'that is not there vetoes',
      '["/bin/missing"]',
      { is: 'vetoed', why: expect.stringMatching(/^swell.pre-update ended with 12[67]: /) },
    ],
  ])('a hook before an update %s', async (_, command, leave) => {
    await run({ 'swell.pre-update': command });
    expect((await engine.observe(SERVICE)).asks).toEqual({ before: true });
    expect(await engine.askLeave(SERVICE)).toEqual(leave);
  });

  it('a hook that does not end in its time asks for later', async () => {
    await run({ 'swell.pre-update': 'echo begun; sleep 1000', 'swell.hook-timeout': '5s' });
    expect(await engine.askLeave(SERVICE)).toEqual({
      is: 'deferred',
      why: 'swell.pre-update has not ended: begun',
    });
  });

  it('a hook after an update says why it is not well', async () => {
    await run({ 'swell.post-update': 'echo "no peers"; exit 2' });
    expect((await engine.observe(SERVICE)).asks).toEqual({ after: true });
    expect(await engine.confirm(SERVICE)).toBe('swell.post-update ended with 2: no peers');
  });

  it('one that says nothing is not asked', async () => {
    await run({});
    const { asks, word, locked } = await engine.observe(SERVICE);
    expect({ asks, word, locked }).toEqual({ asks: undefined, word: undefined, locked: undefined });
    expect(await engine.askLeave(SERVICE)).toEqual({ is: 'given' });
    expect(await engine.confirm(SERVICE)).toBe(undefined);
  });

  it('a lock is held by a file, in a volume too, and forgotten after its time', async () => {
    const container = await run({ 'swell.update-lock': LOCK, 'swell.update-lock-stale': '1h' });
    const held = `its application holds the update lock ${LOCK}`;
    const seen = async () => [(await engine.observe(SERVICE)).locked, await engine.askLeave(SERVICE)];
    expect(await seen()).toEqual([undefined, { is: 'given' }]);
    await inside(container, `touch ${LOCK}`);
    expect(await seen()).toEqual([held, { is: 'deferred', why: held }]);
    await inside(container, `touch -d "2020-01-01 00:00" ${LOCK}`);
    expect(await seen()).toEqual([undefined, { is: 'given' }]);
    await inside(container, `touch ${LOCK}; rm ${LOCK}`);
    expect(await seen()).toEqual([undefined, { is: 'given' }]);
  });

  it('a lock in a volume is seen', async () => {
    const container = await docker.createContainer({
      Image: image,
      Labels: { 'swell.service': SERVICE, [TEST_LABEL]: RUN, 'swell.update-lock': '/data/lock' },
      HostConfig: {
        Mounts: [
          { Type: 'tmpfs', Target: '/tmpfs', Source: '' },
          { Type: 'volume', Target: '/data', Source: '' },
        ],
      },
    });
    await container.start();
    await inside(container, 'touch /data/lock');
    expect((await engine.observe(SERVICE)).locked).toBe('its application holds the update lock /data/lock');
    await container.remove({ force: true, v: true });
  });

  it('an operator pins by a label', async () => {
    await run({ 'swell.pin': 'true', 'swell.windows': 'sun 02:00-03:00' });
    expect((await engine.observe(SERVICE)).word).toMatchObject({
      ok: true,
      value: [{ pin: true, windows: [{ text: 'sun 02:00-03:00' }] }],
    });
  });
});
