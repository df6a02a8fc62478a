import { expect, test } from 'vitest';
import { z } from 'zod';
import { countVariable, parseEnvironment, portVariable } from './environment.ts';

const variables = z.object({ PORT: portVariable(8_080), LEASE_MS: countVariable(500, 60_000).optional() });

test('a number is read as people write it; an empty variable is a missing one', () => {
  expect(parseEnvironment(variables, { PORT: '', LEASE_MS: '0500' })).toEqual({ PORT: 8_080, LEASE_MS: 500 });
});

test.each([' ', '1e3', '0x1F90', '8080 ', '1.5', '-1', '70000', 'NaN'])(
  'a port of %j is refused by its name',
  (port) => {
    expect(() => parseEnvironment(variables, { PORT: port })).toThrow(
      /^the environment is not right:\n {2}PORT: /,
    );
  },
);

test('all that is wrong is told, each in one line', () => {
  const schema = z.object({ A: z.string().regex(/^a$/, 'not\n\u001b[2Ja'), B: countVariable(0, 1) });
  expect(() => parseEnvironment(schema, { A: 'b', B: 'b' })).toThrow(
    'the environment is not right:\n  A: not\\u000a\\u001b[2Ja\n  B: must be a whole number',
  );
});
