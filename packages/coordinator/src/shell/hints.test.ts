import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionState } from '@swell/shared/adapters/bus.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import type { Posted } from '@swell/shared/shell/status-server.ts';
import { expect, test } from 'vitest';
import { notifications, readToken } from './hints.ts';

const TOKEN = 'a token of the registry';
const HINT = { repository: 'team/web', tag: 'latest' };

function door(connection: ConnectionState | 'none' = 'connected') {
  const said: (readonly [string, string])[] = [];
  const bus = {
    connection: connection === 'none' ? ('disconnected' as const) : connection,
    broadcast: (subject: string, body: Uint8Array) => void said.push([subject, Buffer.from(body).toString()]),
  };
  const logger = createLogger({ name: 'test', level: 'silent' });
  const { answer } = notifications(TOKEN, () => (connection === 'none' ? undefined : bus), logger);
  const post = (posted: Partial<Posted> = {}) =>
    answer({
      authorization: `Bearer ${TOKEN}`,
      query: new URLSearchParams(),
      body: encode({ image: 'registry.example/team/web:latest' }),
      ...posted,
    });
  return { post, said };
}

test('what a registry notifies is said on the bus, for whoever leads', () => {
  const { post, said } = door();
  expect(post()).toEqual({ status: 202, body: 'hints: 1\n' });
  expect(said).toEqual([['swell.hint', JSON.stringify(HINT)]]);
});

test('nobody is heard without the token, in the header or in the address', () => {
  const { post, said } = door();
  for (const authorization of [undefined, '', `Bearer ${TOKEN}x`, 'Bearer', `Basic ${TOKEN}`])
    expect(post({ authorization }).status).toBe(401);
  expect(post({ authorization: undefined, query: new URLSearchParams({ token: 'another' }) }).status).toBe(
    401,
  );
  expect(said).toEqual([]);
  const query = new URLSearchParams({ token: TOKEN });
  expect(post({ authorization: undefined, query }).status).toBe(202);
});

test('what is no notification is refused with what would be one', () => {
  const { post, said } = door();
  for (const body of [new Uint8Array(), encode({ tag: 'latest' }), Buffer.from('latest')])
    expect(post({ body })).toMatchObject({ status: 400, body: expect.stringMatching(/^the message/) });
  expect(said).toEqual([]);
});

test('while the bus is away the registry is asked to say it again', () => {
  for (const connection of ['disconnected', 'none'] as const) {
    const { post, said } = door(connection);
    expect([post().status, said]).toEqual([503, []]);
  }
});

test('a file without a token worth its name ends the program', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'swell-token-'));
  const file = join(directory, 'token');
  await writeFile(file, ' \n');
  expect(() => readToken(file)).toThrow(/holds no token of 16 letters or more: write one with openssl/);
  await writeFile(file, `${TOKEN}\n`);
  expect(readToken(file)).toBe(TOKEN);
  await rm(directory, { recursive: true });
});
