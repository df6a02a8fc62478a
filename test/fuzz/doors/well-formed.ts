/** Well-formed values of which a schema can only say in code what they are. */

import * as fc from 'fast-check';

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

/** A duration as people write it: `1h30m`, `250ms`, `1.5h`. */
export function anyDuration(minMs: number, maxMs: number): fc.Arbitrary<string> {
  const inParts = (ms: number): string => {
    let rest = ms;
    const words = UNITS.map(([unit, unitMs]) => {
      const amount = Math.floor(rest / unitMs);
      rest -= amount * unitMs;
      return amount === 0 ? '' : `${amount}${unit}`;
    });
    return words.join('') || '0s';
  };
  return fc
    .tuple(fc.integer({ min: minMs, max: maxMs }), fc.constantFrom('parts', 'ms', 'hours'))
    .map(([ms, how]) =>
      how === 'parts' ? inParts(ms) : how === 'ms' ? `${ms}ms` : `${(ms / 3_600_000).toFixed(12)}h`,
    );
}

/** Rising percentages of which the last is 100. */
export const anyStages: fc.Arbitrary<readonly number[]> = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1, max: 99 }), fc.double({ min: 0.001, max: 99.9, noNaN: true })), {
    maxLength: 63,
  })
  .map((stages) => [...stages.toSorted((a, b) => a - b), 100]);

export const anyName: fc.Arbitrary<string> = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/);

export const anyRegions: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant('parallel'),
  fc
    .uniqueArray(anyName, { minLength: 1, maxLength: 12 })
    .map((regions) => [regions.slice(0, 3), regions.slice(3)].filter((group) => group.length > 0)),
);

const pathPart = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
const registry = fc.oneof(
  fc.constantFrom(
    '',
    'localhost/',
    'localhost:5000/',
    'docker.io/',
    'index.docker.io/',
    '[::1]:5000/',
    '127.0.0.1:1/',
    'REGISTRY/',
  ),
  fc.stringMatching(/^[a-z]{1,8}\.[a-z]{2,3}(?::\d{1,5})?$/).map((host) => `${host}/`),
);

/** A reference as Docker takes it. Without a registry its first part has no dot, or it would be read as one. */
export const anyReference: fc.Arbitrary<string> = fc
  .tuple(
    registry,
    fc
      .tuple(fc.stringMatching(/^[a-z0-9]{1,8}(?:[_-][a-z0-9]{1,8})?$/), fc.array(pathPart, { maxLength: 3 }))
      .map(([first, rest]) => [first, ...rest]),
    fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/), { nil: undefined }),
    fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined }),
  )
  .map(
    ([host, path, tag, digest]) =>
      `${host}${path.join('/')}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@sha256:${digest}`}`,
  );

/** A reference that may move. */
export const anyTag: fc.Arbitrary<string> = anyReference.filter((image) => !image.includes('@'));

/** PromQL that says which version it asks for, as a comparison needs it. */
const anyQuery: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('sum', 'avg', 'max'),
    fc.constantFrom('', ',region="$region"', ',service="$service"'),
    fc.stringMatching(/^[a-z_]{1,12}$/),
  )
  .map(([how, more, metric]) => `${how}(${metric}{version="$version"${more}})`);

/** Each with a name of its own, and with a bound. */
export const anyGates: fc.Arbitrary<readonly object[]> = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/),
    query: anyQuery,
    max: fc.double({ noNaN: true, noDefaultInfinity: true }),
  }),
  { maxLength: 4, selector: ({ name }) => name },
);

const anyOpenTime: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', 'mon-fri ', 'sat '),
    fc.constantFrom('22:00-05:00', '00:00-23:59', '08:30-08:45'),
    fc.constantFrom('', ' Europe/Vienna', ' UTC'),
  )
  .map((parts) => parts.join(''));

export const anyWindows: fc.Arbitrary<unknown> = fc.dictionary(
  fc.oneof(anyName, fc.constant('*')),
  fc.record({ open: fc.array(anyOpenTime, { minLength: 1, maxLength: 3 }) }),
  { maxKeys: 3, noNullPrototype: true },
);

export const anyVersion: fc.Arbitrary<string> = fc
  .tuple(fc.nat(99), fc.nat(99), fc.nat(99))
  .map((numbers) => numbers.join('.'));

export const anyMoment: fc.Arbitrary<string> = fc
  .date({ min: new Date('2026-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

export const anySafeRate: fc.Arbitrary<string> = fc
  .tuple(fc.integer({ min: 1, max: 100 }), anyDuration(1_000, 30 * 86_400_000))
  .map(([percent, per]) => `${percent}%/${per}`);
