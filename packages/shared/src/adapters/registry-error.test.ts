import { expect, test } from 'vitest';
import { RegistryError } from './registry-error.ts';

test('what a registry said is told in one line, and not at the length of its headers', () => {
  const { message } = new RegistryError('bad-answer', `it redirects to\n\u001b[2J${'x'.repeat(9_000)}`);
  expect(message).toMatch(/^it redirects to\\u000a\\u001b\[2Jx+…$/);
  expect(message.length).toBe(1_000);
});
