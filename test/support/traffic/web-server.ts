/**
 * The program of a test's image: a web server as most are, which ends in the middle of everything when it is told to stop;
 * with `GRACEFUL=1` it ends what it has begun, and takes nothing new.
 *
 * - `GET /`: its version, `GET /health`: 200, `GET /busy`: how many requests it works on.
 * - `POST /?ms=300`: its own body, after so long.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const version = process.env['VERSION'] ?? 'none';
let inFlight = 0;

const server = createServer((request, response) => void serve(request, response));
// Who keeps connections for less long than the balancer before him loses requests without anybody's doing.
server.keepAliveTimeout = 600_000;
server.listen(Number(process.env['PORT'] ?? '8080'));
// The first process of a container hears no signal that it does not ask for.
process.on('SIGTERM', () => {
  if (process.env['GRACEFUL'] === '1') server.close(() => process.exit(0));
  else process.exit(0);
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://any');
  if (pathname === '/health') return answer(response, 'ok');
  if (pathname === '/busy') return answer(response, String(inFlight));
  inFlight += 1;
  response.once('close', () => {
    inFlight -= 1;
  });
  try {
    const body = await text(request);
    await delay(Number(searchParams.get('ms') ?? '0'));
    answer(response, request.method === 'POST' ? body : version);
  } catch {
    // Whoever asked has gone.
    response.destroy();
  }
}

function answer(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
