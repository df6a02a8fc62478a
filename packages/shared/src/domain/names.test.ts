import { expect, test } from 'vitest';
import { isName } from './names.ts';

test.each(['a', '7', 'eu-west', 'node_1', 'Storj-2', 'x'.repeat(63)])('%s is a name', (text) => {
  expect(isName(text)).toBe(true);
});

test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty'])(
  '%s is none: names are keys, and every object has something of this one',
  (text) => {
    expect(isName(text)).toBe(false);
  },
);

test.each(['', '-a', '_a', 'a.b', 'a b', 'a*', '>', 'a/b', 'é', 'a\n', '\na', '$KV', 'x'.repeat(64)])(
  '%j is none: it would be more than one token, a wildcard, or somebody else',
  (text) => {
    expect(isName(text)).toBe(false);
  },
);
