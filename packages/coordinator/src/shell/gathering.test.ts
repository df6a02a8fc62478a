import type { Host } from '@swell/shared/adapters/host.ts';
import { expect, test } from 'vitest';
import { Gathering } from './gathering.ts';

/** A host whose time passes when it is told to. */
function madeHost() {
  const timers: { readonly ms: number; readonly call: () => void }[] = [];
  const host: Host = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    random: () => 0.5,
    after(ms, call) {
      const timer = { ms, call };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
  };
  const waits = (): readonly number[] => timers.map(({ ms }) => ms);
  const pass = (): void => {
    for (const { call } of timers.splice(0)) call();
  };
  return { host, waits, pass };
}

const TIME = { kind: 'time-passed' } as const;

test('what is said within a moment is handed on together, in its order', () => {
  const { host, waits, pass } = madeHost();
  const posted: string[] = [];
  const gathering = new Gathering(host, (service) => posted.push(service));
  gathering.add('web', TIME);
  gathering.add('db', TIME);
  expect([waits(), posted]).toEqual([[20], []]);
  pass();
  expect([waits(), posted]).toEqual([[], ['web', 'db']]);
  gathering.add('web', TIME);
  expect(waits()).toEqual([20]);
});

test('after a moment in which much was said the next one is longer', () => {
  const { host, waits, pass } = madeHost();
  const gathering = new Gathering(host, () => {});
  for (let word = 0; word < 200; word += 1) gathering.add('web', TIME);
  pass();
  gathering.add('web', TIME);
  expect(waits()).toEqual([250]);
  pass();
  gathering.add('web', TIME);
  expect(waits()).toEqual([20]);
});

test('a fleet that speaks without a pause is looked at four times a second, not fifty times', () => {
  const { host, waits, pass } = madeHost();
  const gathering = new Gathering(host, () => {});
  const said: (readonly number[])[] = [];
  // Of 100,000 nodes each shows itself once a minute.
  for (const words of [33, 417, 417, 4, 4]) {
    for (let word = 0; word < words; word += 1) gathering.add('web', TIME);
    said.push(waits());
    pass();
  }
  expect(said).toEqual([[20], [250], [250], [250], [20]]);
});

test('what is handed on at once is not handed on again, and nothing is after the end', () => {
  const { host, pass } = madeHost();
  const posted: string[] = [];
  const gathering = new Gathering(host, (service) => posted.push(service));
  gathering.add('web', TIME);
  gathering.handOn();
  pass();
  expect(posted).toEqual(['web']);
  gathering.add('db', TIME);
  gathering.close();
  pass();
  expect(posted).toEqual(['web']);
});
