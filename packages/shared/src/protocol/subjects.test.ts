import { expect, test } from 'vitest';
import {
  haltKey,
  nodeKey,
  parseNodeSubject,
  parseOrderSubject,
  parseSlotSubject,
  slotKey,
  waveKey,
} from './subjects.ts';

test('a key and its republished twin name the same place', () => {
  const wave = { kind: 'wave', region: 'eu', service: 'web' };
  expect([parseOrderSubject(waveKey('eu', 'web')), parseOrderSubject('swell.wave.eu.web')]).toEqual([
    wave,
    wave,
  ]);
  const halt = { kind: 'halt', service: 'web' };
  expect([parseOrderSubject(haltKey('web')), parseOrderSubject('swell.halt.web')]).toEqual([halt, halt]);
  const slot = { region: 'eu', service: 'web', slot: 7 };
  expect([parseSlotSubject(slotKey('eu', 'web', 7)), parseSlotSubject('swell.slot.eu.web.7')]).toEqual([
    slot,
    slot,
  ]);
  const node = { region: 'eu', node: 'n1' };
  expect([parseNodeSubject(nodeKey('eu', 'n1')), parseNodeSubject('swell.node.eu.n1')]).toEqual([node, node]);
});

test('a region may be called as a kind of subject is', () => {
  expect(parseSlotSubject(slotKey('slot', 'web', 0))).toEqual({ region: 'slot', service: 'web', slot: 0 });
  expect(parseNodeSubject(nodeKey('node', 'n1'))).toEqual({ region: 'node', node: 'n1' });
});

test.each([
  '',
  'swell.wave',
  'swell.wave.eu',
  'swell.wave.eu.web.more',
  'swell.wave.eu.-web',
  'swell.wave..web',
  'swell.wave.eu.constructor',
  'swell.halt',
  'swell.halt.web.more',
  'wave.eu.web',
  '$KV.other.wave.eu.web',
  '$KV.swell_orders.event.eu.web',
])('%j is no place of an order', (subject) => {
  expect(parseOrderSubject(subject)).toBeUndefined();
});

test.each([
  'swell.slot.eu.web',
  'swell.slot.eu.web.-1',
  'swell.slot.eu.web.1.5',
  'swell.slot.eu.web.1e3',
  'swell.slot.eu.web.1000000',
  'swell.slot.a.eu.web.0',
  'swell.slot.__proto__.web.0',
  'swell.health.eu.web.0',
])('%j is no slot', (subject) => {
  expect(parseSlotSubject(subject)).toBeUndefined();
});

test.each(['swell.node.eu', 'swell.node.eu.n1.more', 'swell.node.eu.', 'eu.n1'])(
  '%j is no node',
  (subject) => {
    expect(parseNodeSubject(subject)).toBeUndefined();
  },
);
