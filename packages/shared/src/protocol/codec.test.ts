import { expect, test } from 'vitest';
import { z } from 'zod';
import { BODY_BYTES_MAX, decode, encode } from './codec.ts';

const schema = z.strictObject({
  name: z.string().max(5, 'must be short'),
  list: z.array(z.number()).optional(),
});
const anything = z.unknown();

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const problems = (body: Uint8Array, of: z.ZodType = schema): readonly string[] => {
  const read = decode(body, of);
  return read.ok ? [] : read.problems;
};

test('what is encoded is decoded, whatever letters it has', () => {
  const value = { name: '漢😀"\\' };
  expect(decode(encode(value), schema)).toEqual({ ok: true, value });
});

test('every problem names its field', () => {
  expect(problems(bytes('{"name":"much too long","list":[1,"2"]}'))).toEqual([
    'name: must be short',
    'list[1]: must be a number, and is a text',
  ]);
});

test.each<[string, Uint8Array, string]>([
  ['nothing', new Uint8Array(), 'the message is empty: publish a JSON object'],
  ['no text', new Uint8Array([0xff, 0xfe, 0x00]), 'the message is not UTF-8: publish it as UTF-8 JSON'],
  [
    'half a letter',
    new Uint8Array([0x22, 0xe6, 0xbc, 0x22]),
    'the message is not UTF-8: publish it as UTF-8 JSON',
  ],
])('%s is refused with what to do', (_, body, problem) => {
  expect(problems(body, anything)).toEqual([problem]);
});

test.each(['{', '{"name":}', 'null }', "{'name':'x'}", '{"name":"x"} {"name":"y"}', 'NaN', '\u0000'])(
  'what is no JSON is refused and never thrown: %j',
  (text) => {
    expect(problems(bytes(text), anything)).toEqual([expect.stringMatching(/^the message is not JSON: /)]);
  },
);

test('a message up to 64 KB is read, one byte more is not', () => {
  const body = (length: number) => bytes(JSON.stringify('x'.repeat(length - 2)));
  expect(problems(body(BODY_BYTES_MAX), anything)).toEqual([]);
  expect(problems(body(BODY_BYTES_MAX + 1), anything)).toEqual([
    `the message has ${BODY_BYTES_MAX + 1} bytes: at most ${BODY_BYTES_MAX} are read`,
  ]);
  expect(decode(body(BODY_BYTES_MAX + 1), anything, BODY_BYTES_MAX + 1).ok).toBe(true);
});

test('brackets may nest sixteen deep; those within texts do not count', () => {
  const nested = (depth: number) => bytes('['.repeat(depth) + ']'.repeat(depth));
  expect(problems(nested(16), anything)).toEqual([]);
  expect(problems(nested(17), anything)).toEqual(['the message is nested more than 16 deep']);
  expect(problems(bytes(JSON.stringify('['.repeat(100))), anything)).toEqual([]);
  expect(problems(bytes(JSON.stringify(['\\"[[[[[[[[[[[[[[[[[[[['])), anything)).toEqual([]);
});

test('no depth exhausts the stack', () => {
  expect(problems(bytes('['.repeat(BODY_BYTES_MAX)), anything)).toEqual([
    'the message is nested more than 16 deep',
  ]);
  expect(problems(bytes('{"a":'.repeat(10_000)), anything)).toEqual([
    'the message is nested more than 16 deep',
  ]);
});

test('of a thousand problems twenty are told, and none at the length of the message', () => {
  const list = Array.from({ length: 1_000 }, () => 'no number');
  const told = problems(encode({ name: 'x', list }));
  expect(told.length).toBe(20);
  const key = 'k'.repeat(60_000);
  const [problem = ''] = problems(encode({ name: 'x', [key]: 1 }));
  expect([problem.length, problem.endsWith('…')]).toEqual([300, true]);
});

test('a reason is one line that any terminal can show, whatever it quotes', () => {
  const clears = '\u001b[2J\n';
  expect(problems(bytes(`{"name":"x",\n\u001b`))[0]).toMatch(/^the message is not JSON: [\x20-\x7e]+$/);
  expect(problems(encode({ name: 'x', [clears]: 1 }))).toEqual([
    String.raw`there is no field "\u001b[2J\u000a": there are name, list`,
  ]);
  expect(problems(encode({ [clears]: 'x' }), z.record(z.string(), z.number()))).toEqual([
    String.raw`\u001b[2J\u000a: must be a number, and is a text`,
  ]);
  const cut = problems(encode({ name: 'x', [`${'k'.repeat(278)}😀${'k'.repeat(99)}`]: 1 }))[0];
  expect(cut?.isWellFormed()).toBe(true);
});

test('what is wrong with the whole is said of the message', () => {
  expect(problems(bytes('[]'))).toEqual(['the message: must be an object, and is a list']);
});

test('a key that every object has is no field', () => {
  expect(problems(bytes('{"name":"x","__proto__":{"list":[1]}}'))).not.toEqual([]);
  expect(problems(bytes('{"name":"x","constructor":1}'))).not.toEqual([]);
});
