import { headers, type Msg } from '@nats-io/nats-core';
import { expect, test } from 'vitest';
import { deliveredFrom, headersOf, heardFrom } from './nats-messages.ts';

function message(values: Readonly<Record<string, string>>, reply = ''): Msg {
  const said = headers();
  for (const [name, value] of Object.entries(values)) said.append(name, value);
  return { subject: 'swell.wave.eu.web', reply, headers: said, data: new Uint8Array() } as unknown as Msg;
}

test('a republished message knows its place', () => {
  const heard = heardFrom(message({ 'Nats-Sequence': '7', 'Nats-Last-Sequence': '0' }));
  expect(heard).toMatchObject({ sequence: 7, lastSequence: 0, deleted: false });
});

// A revision that is no number is neither lower nor higher than another, and a journal cannot hold it.
test.each(['seven', '-1', '1.5', '1e3', '0x10', '9007199254740993', '7 8', ''])(
  'a place %j is none',
  (sequence) => {
    expect(heardFrom(message({ 'Nats-Sequence': sequence }))).not.toHaveProperty('sequence');
  },
);

test.each([
  ['plain', '$JS.ACK.SWELL_LOG.consumer.1.42.3.1750000000123456789.0'],
  ['of a domain', '$JS.ACK.hub.account.SWELL_LOG.consumer.1.42.3.1750000000123456789.0.random'],
])('a delivery tells its sequence, place and time: %s', (_, reply) => {
  expect(deliveredFrom(message({}, reply))).toMatchObject({
    place: 3,
    message: { sequence: 42, storedAtMs: 1_750_000_000_123 },
  });
});

test.each([
  '',
  'inbox.1',
  '$JS.ACK.a.b.1.x.3.1750000000123456789.0',
  '$JS.ACK.a.b.1.42.3.now.0',
  '$JS.ACK.a.b',
])('a reply of %j is no delivery', (reply) => {
  expect(deliveredFrom(message({}, reply))).toBeUndefined();
});

test('a line is one line that any terminal can show, whatever it quotes', () => {
  const written = headersOf({ subject: 'a', body: new Uint8Array(), line: 'v2\r\n\u001b[2J', id: 'a\nb' });
  expect(written.get('Swell-Line')).toBe(String.raw`v2\u000d\u000a\u001b[2J`);
  expect(written.get('Nats-Msg-Id')).toBe(String.raw`a a\u000ab`);
});
