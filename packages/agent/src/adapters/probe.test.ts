import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeHttp, probeTcp } from './probe.ts';

const closing: (() => unknown)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function serve(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  await once(server, 'listening');
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('the HTTP probe', () => {
  it.each([
    [200, true],
    [204, true],
    [302, true],
    [404, false],
    [500, false],
  ])('takes %i as healthy: %s', async (status, healthy) => {
    const port = await serve((_, response) => response.writeHead(status, { location: '/elsewhere' }).end());
    expect(await probeHttp('127.0.0.1', port, '/health', 5_000)).toEqual({
      healthy,
      seen: `HTTP ${status} from 127.0.0.1:${port}/health`,
    });
  });

  it('never throws, whatever the path: an older policy may hold any', async () => {
    expect(await probeHttp('127.0.0.1', 1, '/a b\u0000漢', 5_000)).toEqual({
      healthy: false,
      seen: 'no request can hold the path of 127.0.0.1:1/a b\u0000漢',
    });
  });

  it('ends by its timeout where nothing answers', async () => {
    const port = await serve(() => {});
    expect(await probeHttp('127.0.0.1', port, '/', 50)).toEqual({
      healthy: false,
      seen: `no answer from 127.0.0.1:${port}/ in 50 ms`,
    });
  });

  it('is content with the head of an answer that never ends', async () => {
    const port = await serve((_, response) => void response.writeHead(200).write('and so on'));
    expect(await probeHttp('127.0.0.1', port, '/', 5_000)).toMatchObject({ healthy: true });
  });
});

describe('the TCP probe', () => {
  it('is healthy where somebody accepts, and not where nobody does', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server.address());
    expect(await probeTcp('127.0.0.1', port, 5_000)).toEqual({
      healthy: true,
      seen: `connected to 127.0.0.1:${port}`,
    });
    server.close();
    await once(server, 'close');
    expect(await probeTcp('127.0.0.1', port, 5_000)).toEqual({
      healthy: false,
      seen: `ECONNREFUSED at 127.0.0.1:${port}`,
    });
  });
});
