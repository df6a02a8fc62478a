import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { type Posted, type StatusServerOptions, startStatusServer } from './status-server.ts';

function start(options: Partial<StatusServerOptions> = {}) {
  return startStatusServer({
    host: '127.0.0.1',
    port: 0,
    live: () => true,
    ready: () => ({ ready: true }),
    metrics: async () => 'up 1\n',
    contentType: 'text/plain; version=0.0.4',
    ...options,
  });
}

async function ask(server: { port: number }, path: string, init?: RequestInit) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  return { status: response.status, body: await response.text() };
}

test('a program that is well says so, and its metrics keep their content type', async () => {
  await using server = await start();
  expect(await ask(server, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
  expect(await ask(server, '/readyz?verbose')).toEqual({ status: 200, body: 'ok\n' });
  const metrics = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4');
  expect(await metrics.text()).toBe('up 1\n');
});

test('a program that is not well says why', async () => {
  let live: boolean | string = 'no step for 60 s';
  await using server = await start({
    live: () => live,
    ready: () => ({ ready: false, reason: 'no pulse for 30 s' }),
  });
  expect(await ask(server, '/healthz')).toEqual({ status: 503, body: 'no step for 60 s\n' });
  expect(await ask(server, '/readyz')).toEqual({ status: 503, body: 'no pulse for 30 s\n' });
  live = false;
  expect(await ask(server, '/healthz')).toEqual({ status: 503, body: 'not alive\n' });
});

test('metrics that fail are an error of this request, not of the program', async () => {
  await using server = await start({ metrics: () => Promise.reject(new Error('collector broke')) });
  expect(await ask(server, '/metrics')).toEqual({ status: 500, body: 'collector broke\n' });
  expect((await ask(server, '/healthz')).status).toBe(200);
});

test('HEAD is GET without a body; anything else is refused with what is allowed', async () => {
  await using server = await start();
  expect(await ask(server, '/healthz', { method: 'HEAD' })).toEqual({ status: 200, body: '' });
  const refused = await fetch(`http://127.0.0.1:${server.port}/healthz`, { method: 'POST', body: 'x' });
  expect([refused.status, refused.headers.get('allow'), refused.headers.get('connection')]).toEqual([
    405,
    'GET, HEAD',
    'close',
  ]);
  expect((await ask(server, '/')).status).toBe(404);
});

const posts = {
  path: '/notifications',
  bytesMax: 10,
  answer: ({ authorization, query, body }: Posted) => ({
    status: 202,
    body: [authorization, query.get('token'), Buffer.from(body).toString()].join(' '),
  }),
};

test('what a program wants posted it gets whole, with who says so', async () => {
  await using server = await start({ posts });
  const said = { method: 'POST', body: '0123456789', headers: { authorization: 'Bearer T' } };
  expect(await ask(server, '/notifications?token=U', said)).toEqual({
    status: 202,
    body: 'Bearer T U 0123456789',
  });
  expect((await ask(server, '/notifications', { ...said, body: '0123456789a' })).status).toBe(413);
  expect((await ask(server, '/notifications')).status).toBe(404);
  expect((await ask(server, '/healthz', said)).status).toBe(405);
});

test('a request whose body never ends is answered and hung up on', async () => {
  await using server = await start();
  const socket = connect(server.port, '127.0.0.1');
  socket.write('POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nx');
  let heard = '';
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.toString();
  });
  await once(socket, 'close');
  expect(heard).toMatch(/^HTTP\/1\.1 405 /);
});

test('a client that connects and never asks does not keep a program from stopping', async () => {
  const server = await start();
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  const closed = once(socket.resume(), 'close');
  await server[Symbol.asyncDispose]();
  await closed;
  await expect(ask(server, '/healthz')).rejects.toThrow('fetch failed');
});

test('a port that is taken is an error at the start', async () => {
  await using server = await start();
  await expect(start({ port: server.port })).rejects.toThrow('EADDRINUSE');
});
