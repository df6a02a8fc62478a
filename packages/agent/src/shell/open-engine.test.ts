import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readConfig } from './config.ts';
import { openEngine } from './open-engine.ts';

const server = createServer();

beforeEach(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('DOCKER_HOST', `tcp://127.0.0.1:${port}`);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

const asked = (): Promise<ServerResponse> =>
  new Promise((resolve) => void server.once('request', (_request, response) => resolve(response)));

test('a dockerd that takes the question and never answers is asked again', async () => {
  const config = readConfig({ SWELL_REGION: 'eu', SWELL_NODE: 'n1' });
  const logger = createLogger({ name: 'agent', level: 'silent' });
  const first = asked();
  const opened = openEngine(config, logger, new AbortController().signal);
  await first;
  const second = asked();
  await vi.advanceTimersByTimeAsync(30_000);
  const answer = await second;
  answer.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"no such container"}');
  await expect(opened).resolves.toHaveProperty('meter');
});
