/** What a person says of a server at HAProxy's socket stays, whatever its agent answers there. */

import { createServer } from 'node:http';
import { startAgentCheck } from '@swell/agent/shell/rotation.ts';
import type { Rotation } from '@swell/shared/domain/traffic.ts';
import { listening } from '@swell/shared/shell/status-server.ts';
import { expect, test } from 'vitest';
import { describeWithHaproxy } from '../support/needs.ts';
import { Haproxy, type Server } from '../support/traffic/haproxy.ts';

const IN: Rotation = { is: 'in', weightPercent: 100 };
const LOOK_EVERY_MS = 20;

describeWithHaproxy('a server that a person has put', () => {
  test.each([
    ['maint', 'MAINT'],
    ['drain', 'DRAIN (agent)'],
  ])('into state %s stays there while its agent drains and brings back', async (state, status) => {
    await using node = await asked();
    await using others = await asked();
    const ports = [node, others, others].map(({ service, agentCheck }) => ({
      service,
      agentCheck,
      status: 0,
    }));
    await using haproxy = await Haproxy.start('web', ports);
    const first = async (): Promise<Server | undefined> => (await haproxy.servers())[0];

    await haproxy.ask(`set server web/node-1 state ${state}`);
    for (const rotation of [IN, { is: 'draining' }, { is: 'in', weightPercent: 10 }, IN] as const) {
      await node.answers(rotation);
      expect(await first()).toMatchObject({ status });
    }
    await haproxy.ask('set server web/node-1 state ready');
    await node.answers(IN);
    expect(await first()).toEqual({ name: 'node-1', status: 'UP', weight: 100 });
    await node.answers({ is: 'draining' });
    expect(await first()).toEqual({ name: 'node-1', status: 'UP', weight: 0 });
  });
});

/** A service and its agent check, and whether that has been asked. */
async function asked() {
  let rotation: Rotation = IN;
  let count = 0;
  const told = {
    serviceNames: ['web'],
    tellRotation: () => {
      count += 1;
      return rotation;
    },
  };
  const service = await listening(
    createServer((_, answer) => answer.end('ok')),
    '127.0.0.1',
    0,
  );
  const check = await startAgentCheck({ host: '127.0.0.1', port: 0, agent: told });
  return {
    service: service.port,
    agentCheck: check.port,
    /** Resolves once HAProxy has acted on that: it asks no second time before it has read the first answer. */
    async answers(next: Rotation): Promise<void> {
      rotation = next;
      const until = count + 2;
      await expect.poll(() => count >= until, { interval: LOOK_EVERY_MS, timeout: 60_000 }).toBe(true);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await check[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}
