/** What nobody would send and somebody will: strange texts, numbers, keys and values. */

import * as fc from 'fast-check';
import { raw, type Tree, treeOf } from './json-tree.ts';

/** Keys that every object has, keys that mean something to the language, and keys that terminals obey. */
export const strangeKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'valueOf',
    'toJSON',
    'hasOwnProperty',
    'then',
    'length',
    '__defineGetter__',
    '',
    ' ',
    '0',
    '-1',
    'a.b',
    'a\nb',
    '\u0000',
    '\u001b[2J',
    '\u202e',
    '\ud800',
    'é',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constant('k'.repeat(5_000)),
);

export const strangeText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  // Halves of letters, which JSON can say and UTF-8 cannot.
  fc
    .array(fc.integer({ min: 0xd700, max: 0xe000 }), { maxLength: 4 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    ' ',
    '\n',
    'a\r\nb',
    '\u0000',
    '\u001b]0;x\u0007',
    '\u2028',
    '\u202e',
    '\ufeff',
    '__proto__',
  ),
  fc.constantFrom(
    'constructor',
    'toString',
    '../../etc/passwd',
    '-',
    '.',
    '*',
    '>',
    'a.b',
    '%',
    '99999%',
    '1e9s',
  ),
  fc
    .tuple(
      fc.constantFrom('x', '9', '/', '-', '1m', '__', '{', '\\', '"', '漢', '\u0001'),
      fc.constantFrom(300, 5_000, 70_000),
    )
    .map(([letter, length]) => letter.repeat(length)),
);

/** Numbers letter by letter: what a parser makes of them is its own affair. */
const strangeNumber: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '-1',
    '-0',
    '0',
    '0.5',
    '1e308',
    '-1e308',
    '1e999',
    '-1e999',
    '5e-324',
    '1.5',
    '1e3',
    '2147483648',
  ),
  fc.constantFrom('9007199254740991', '9007199254740992', '9007199254740993', '18446744073709551616'),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '0x10', '01', '1.', '.5', '+1', '1_000', '1n', '--1'),
  fc.nat({ max: 400 }).map((digits) => `1${'0'.repeat(digits)}`),
  fc.double().map((value) => String(value)),
);

const lyingObject: fc.Arbitrary<Tree> = fc
  .dictionary(strangeKey, fc.constantFrom(1, null, 'x', [], {}), { maxKeys: 3 })
  .map(treeOf);

const nested: fc.Arbitrary<Tree> = fc
  .tuple(
    fc.constantFrom(['[', ']'] as const, ['{"a":', '}'] as const, ['[{"a":', '}]'] as const),
    fc.constantFrom(1, 15, 17, 60, 20_000),
  )
  .map(([[opens, closes], depth]) => raw(`${opens.repeat(depth)}1${closes.repeat(depth)}`));

export const strangeTree: fc.Arbitrary<Tree> = fc.oneof(
  strangeText.map((text) => treeOf(text)),
  strangeNumber.map(raw),
  fc.constantFrom('null', 'true', 'false', '[]', '{}', '[[]]', '""', 'undefined', "'x'", '/*x*/1').map(raw),
  lyingObject,
  fc.array(lyingObject, { maxLength: 3 }).map((items): Tree => ({ is: 'array', items })),
  nested,
  fc.constantFrom(100, 3_000).map((length) => treeOf(Array.from({ length }, () => 'x'))),
  fc.json().map(raw),
);
