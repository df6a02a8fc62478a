import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Rotation } from '@swell/shared/domain/traffic.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { describe, expect, test } from 'vitest';
import { rotationPaths, startAgentCheck } from './rotation.ts';

const IN: Rotation = { is: 'in', weightPercent: 40 };
const HERE: Readonly<Record<string, Rotation>> = {
  web: IN,
  api: { is: 'draining' },
  db: { is: 'out', why: 'it is swapping' },
  new: { is: 'unknown', why: 'not looked yet' },
};

function agentWith(rotations: Readonly<Record<string, Rotation>>) {
  return { serviceNames: Object.keys(rotations), tellRotation: (service: string) => rotations[service] };
}

describe('over HTTP', () => {
  test.each([
    ['web', 200, 'in rotation, weight 40 %\n'],
    ['api', 503, 'draining\n'],
    ['db', 503, 'out of rotation: it is swapping\n'],
    ['new', 503, 'not known: not looked yet\n'],
    ['mail', 404, 'there is no service mail here\n'],
  ])('%s: %i', async (service, status, body) => {
    await using server = await startStatusServer({
      host: '127.0.0.1',
      port: 0,
      live: () => true,
      ready: () => ({ ready: true }),
      metrics: async () => '',
      contentType: 'text/plain',
      more: rotationPaths(agentWith(HERE)),
    });
    const answer = await fetch(`http://127.0.0.1:${server.port}/rotation/${service}`);
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  });
});

describe("to HAProxy's agent check", () => {
  async function ask(rotations: Readonly<Record<string, Rotation>>, question: string): Promise<string> {
    await using server = await startAgentCheck({ host: '127.0.0.1', port: 0, agent: agentWith(rotations) });
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(question);
    return await text(socket);
  }

  test.each([
    ['web\n', 'up 40%\n'],
    ['api\n', 'up 0%\n'],
    ['db\n', 'up 0%\n'],
  ])('%j: %j', async (question, line) => {
    expect(await ask(HERE, question)).toBe(line);
  });

  test('an agent that has just begun changes nothing', async () => {
    expect(await ask(HERE, 'new\n')).toBe('# not looked yet\n');
  });

  test('who names none is told of the only one', async () => {
    expect(await ask({ web: IN }, '')).toBe('up 40%\n');
  });

  test('who stays on after his answer keeps nobody', async () => {
    const server = await startAgentCheck({ host: '127.0.0.1', port: 0, agent: agentWith(HERE) });
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write('web\n');
    expect(await text(socket)).toBe('up 40%\n');
    await server[Symbol.asyncDispose]();
    socket.destroy();
  });

  test.each([[''], ['mail\n'], ['x'.repeat(500)]])(
    'changes nothing where it is not clear who is meant: %j',
    async (question) => {
      expect(await ask(HERE, question)).toMatch(/^# /);
    },
  );
});
