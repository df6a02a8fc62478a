/** A client in a process of its own: it asks the service over new connections and notes when it was answered well. */

import { connect } from 'node:net';

const REQUEST = 'GET / HTTP/1.0\r\n\r\n';
const OK = /^HTTP\/1\.[01] 200 /;
/** Later than a second, after which a lost beginning of a connection is sent again. */
const PATIENCE_MS = 3_000;

const [host = '', port = '', rate = ''] = process.argv.slice(2);
const answeredAtMs: number[] = [];
const beganAtMs = performance.now();
let asked = 0;

const timer = setInterval(() => {
  // As many as are due: a timer that comes late does not make the client slower.
  for (const due = ((performance.now() - beganAtMs) * Number(rate)) / 1_000; asked < due; asked += 1) ask();
}, 1_000 / Number(rate));

process.on('message', () => {
  clearInterval(timer);
  process.send?.(answeredAtMs, () => process.exit(0));
});

function ask(): void {
  const socket = connect({ host, port: Number(port) });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('connect', () => socket.end(REQUEST));
  socket.setEncoding('latin1').once('data', (text) => {
    if (!OK.test(String(text))) return;
    answeredAtMs.push(performance.now());
    if (answeredAtMs.length === 1) process.send?.('answered');
  });
}
