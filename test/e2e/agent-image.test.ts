/** The agent's image as an operator runs it: as the user that it names, with a volume that is new. */

import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildAgentImage } from '../support/agent-image.ts';
import { removeByLabel, TEST_LABEL, testDocker } from '../support/docker.ts';
import { describeWithDocker } from '../support/needs.ts';

const LABEL = `image-${process.pid}`;
const SOCKET = '/var/run/docker.sock';
/** Nobody listens there. */
const NO_BUS = 'nats://127.0.0.1:1';

describeWithDocker('the image of the agent', () => {
  const docker = testDocker();
  let image = '';

  beforeAll(async () => {
    image = (await buildAgentImage(docker, LABEL)).id;
  });

  afterAll(() => removeByLabel(docker, LABEL));

  it('begins as the user that it names, and keeps its journals in a volume of its own', async () => {
    const socket = (process.env['DOCKER_HOST'] ?? `unix://${SOCKET}`).replace(/^unix:\/\//, '');
    const container = await docker.createContainer({
      Image: image,
      Labels: { [TEST_LABEL]: LABEL },
      Env: ['SWELL_REGION=a', 'SWELL_NODE=n1', `SWELL_NATS_SERVERS=${NO_BUS}`, `SWELL_STACK=${LABEL}`],
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        Binds: [`${socket}:${SOCKET}`],
        GroupAdd: [`${(await stat(socket)).gid}`],
      },
    });
    await container.start();
    const said = async (): Promise<string> =>
      (await container.logs({ stdout: true, stderr: true })).toString();
    const ended = container.wait().then(async ({ StatusCode }: { StatusCode: number }) => {
      throw new Error(`it ended with ${StatusCode}: ${await said()}`);
    });
    // It ends when it is removed.
    ended.catch(() => undefined);
    const begun = (async () => {
      while (!(await said()).includes('agent begins')) await delay(100);
    })();
    await Promise.race([begun, ended]);
    const { Config, Mounts, State } = await container.inspect();
    expect([Config.User, State.Running]).toEqual(['1000:1000', true]);
    expect(Mounts.map(({ Destination, Type }) => [Destination, Type])).toContainEqual([
      '/var/lib/swell',
      'volume',
    ]);
  });
});
