/** The stream counts what befell each request, by servers that do it to them on purpose. */

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Requests } from './requests.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv1';

test('an answer to a GET counts as one request, with the time that it took', async () => {
  const { requests, failed, latencies } = await stream((socket) => socket.write(OK));
  expect([requests, failed, latencies.percentile(100) > 0]).toEqual([1, 0, true]);
});

test.each([
  ['reset', 'a connection that is closed instead of an answer', (socket: Socket) => socket.destroy()],
  ['reset', 'one that is closed in its middle', (socket: Socket) => socket.end(OK.slice(0, -1))],
  [
    'status 503',
    "a balancer's own page",
    (socket: Socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n<html>'),
  ],
])('%s: %s', async (failure, _, answer) => {
  expect(await stream(answer)).toMatchObject({ requests: 1, failed: 1, failures: { [failure]: 1 } });
});

test('a connection that is closed between two requests is no failure', async () => {
  expect(await stream((socket) => socket.end(OK))).toMatchObject({ requests: 1, failed: 0 });
});

/** What a stream of one connection counts after its first request. */
async function stream(answer: (socket: Socket) => unknown) {
  const server = createServer((socket) => {
    socket.once('data', () => answer(socket));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const requests = await Requests.open({ port, connections: 1, everyMs: 200 });
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const tally = requests.take();
    if (tally.requests === 0) continue;
    await requests[Symbol.asyncDispose]();
    server.close();
    return tally;
  }
}
