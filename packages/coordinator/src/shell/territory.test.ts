import { encode } from '@swell/shared/protocol/codec.ts';
import { regionKey } from '@swell/shared/protocol/subjects.ts';
import { expect, test } from 'vitest';
import { Territory } from './territory.ts';

function territory(scope: string | undefined, written: Readonly<Record<string, object>>): Territory {
  const it = new Territory(scope);
  const messages = Object.entries(written).map(([region, body], index) => ({
    subject: regionKey(region),
    body: encode(body),
    sequence: index + 1,
    storedAtMs: 0,
    deleted: false,
  }));
  it.read(messages, () => {});
  return it;
}

test('a scope without a region leads nothing; the global one may always have some', () => {
  const written = { eu: { scope: 'europe' } };
  const isEmpty = (scope?: string): boolean => territory(scope, written).isEmpty;
  expect([isEmpty('europe'), isEmpty('misspelt'), isEmpty()]).toEqual([false, true, false]);
});

test('a term ends where a region comes or goes, and not where others exchange theirs', () => {
  const written = { eu: { scope: 'europe' }, us: { scope: 'america' } };
  const europe = territory('europe', written);
  expect(europe.change({ region: 'eu', scope: 'america' })).toBe('scope america has region eu now');
  expect(europe.change({ region: 'eu' })).toBe('no scope has region eu now');
  expect(europe.change({ region: 'us', scope: 'europe' })).toBe('scope europe has region us now');
  expect(europe.change({ region: 'eu', scope: 'europe' })).toBeUndefined();
  expect(europe.change({ region: 'us' })).toBeUndefined();
  const all = territory(undefined, written);
  expect(all.change({ region: 'us' })).toBe('no scope has region us now');
  expect(all.change({ region: 'ap', scope: 'asia' })).toBe('scope asia has region ap now');
  expect(all.change({ region: 'us', scope: 'europe' })).toBeUndefined();
});

test('what nobody can read is nobody’s, until it is mended', () => {
  const written = { eu: { scope: 1 } };
  expect([undefined, 'europe'].map((scope) => territory(scope, written).isOurs('eu'))).toEqual([
    false,
    false,
  ]);
  expect(territory('europe', written).change({ region: 'eu', scope: 'europe' })).toBeDefined();
});
