import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { expect, test } from 'vitest';
import { serviceChanges } from './events.ts';

const event = (service: unknown): string =>
  JSON.stringify({ Actor: { Attributes: { 'swell.service': service } } });

async function heard(lines: readonly string[]): Promise<readonly string[]> {
  const leaving = new AbortController();
  const docker = {
    getEvents: async () => Readable.from([`${lines.join('\n')}\n`]).on('close', () => leaving.abort()),
  };
  const named: string[] = [];
  for await (const service of serviceChanges(docker as unknown as Docker, [], async () => [], leaving.signal))
    named.push(service);
  return named;
}

test('names the services whose containers changed', async () => {
  expect(await heard([event('web'), event('db'), event('web')])).toEqual(['web', 'db', 'web']);
});

test('a label that is no name is nobody, whatever an image brought along: a name becomes the name of a file', async () => {
  const labels = ['../../etc/passwd', '', 'a b', 'constructor', 7, null];
  expect(
    await heard([...labels.map(event), 'no JSON', 'null', '[]', '{"Actor":null}', event('web')]),
  ).toEqual(['web']);
});
