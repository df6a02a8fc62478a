import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { cursorBehind, FIRST, isBelow, LAST, rankOf } from './rank.ts';

const TWO_48 = 2n ** 48n;
const TWO_256 = 2n ** 256n;

test.each([
  ['\x0b'.repeat(20), 'Hi There', 0xb0344c61d8dbn],
  ['Jefe', 'what do ya want for nothing?', 0x5bdcc146bf60n],
])('a rank is the first 48 bits of the HMAC that RFC 4231 gives', (seed, node, bits) => {
  expect(BigInt(rankOf(seed, node) * 2 ** 48)).toBe(bits);
});

const NODES = Array.from({ length: 100_000 }, (_, index) => `node-${index}`);
const SEED = 'web/12/sha256:3f2a';
const RANKS = NODES.map((node) => rankOf(SEED, node));

test('a rank compares as the whole HMAC does, in exact arithmetic', () => {
  for (const [index, node] of NODES.entries()) {
    if (index >= 5_000) break;
    const whole = BigInt(`0x${createHmac('sha256', SEED).update(node).digest('hex')}`);
    const rank = RANKS[index] ?? LAST;
    expect(BigInt(rank * 2 ** 48)).toBe((whole * TWO_48) / TWO_256);
    for (const cursor of [2 ** -12, 0.004, 0.0625, 0.5]) {
      const exact = whole < (BigInt(cursor * 2 ** 60) * TWO_256) / 2n ** 60n;
      expect(isBelow(rank, cursor)).toBe(exact);
    }
  }
});

test.each([0.0001, 0.0005, 0.001, 0.002, 0.004, 0.01, 0.0625, 0.5])(
  'a cursor of %d admits that share of 100,000 nodes, below 0.4 %% too, where leading zeros are lost elsewhere',
  (cursor) => {
    const admitted = RANKS.filter((rank) => isBelow(rank, cursor)).length;
    const expected = NODES.length * cursor;
    const deviation = Math.sqrt(expected * (1 - cursor));
    expect(Math.abs(admitted - expected)).toBeLessThan(4 * deviation);
  },
);

test('a rank is at least 0 and less than 1: no cursor of 0 admits, one of 1 admits everybody', () => {
  expect(RANKS.every((rank) => rank >= FIRST && rank < LAST)).toBe(true);
  expect(RANKS.some((rank) => isBelow(rank, FIRST))).toBe(false);
  expect(RANKS.every((rank) => isBelow(rank, LAST))).toBe(true);
});

test('another seed draws another line', () => {
  const front = (seed: string) => new Set(NODES.filter((node) => isBelow(rankOf(seed, node), 0.01)));
  const [first, second] = [front('one'), front('two')];
  const again = [...first].filter((node) => second.has(node)).length;
  expect(again).toBeLessThan(40);
});

test('a cursor takes in exactly the first so many, and stays so when the wire rounds it', () => {
  const line = [...RANKS].sort((a, b) => a - b);
  for (const count of [0, 1, 2, 10, 400, 50_000, 99_999, 100_000]) {
    const cursor = cursorBehind(line, count);
    expect(line.filter((rank) => isBelow(rank, cursor))).toHaveLength(count);
    const rounded = Number(cursor.toPrecision(15));
    expect(line.filter((rank) => isBelow(rank, rounded))).toHaveLength(count);
  }
});

test('in a line of nobody there is nobody to take in', () => {
  expect(cursorBehind([], 0)).toBe(FIRST);
});
