import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { presenceSchema } from '@swell/shared/protocol/reports.ts';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

function labels(text?: string): readonly string[] {
  return readConfig({
    SWELL_REGION: 'eu',
    SWELL_NODE: 'n1',
    ...(text !== undefined && { SWELL_LABELS: text }),
  }).labels;
}

test('P2: a node has the labels that its operator names, and none by default', () => {
  expect([labels(), labels(''), labels('canary'), labels('canary, rack=7')]).toEqual([
    [],
    [],
    ['canary'],
    ['canary', 'rack=7'],
  ]);
});

test.each(['a b', '=7', 'rack=', 'canary,-'])('%j is refused with what is wanted', (text) => {
  expect(() => labels(text)).toThrow(/SWELL_LABELS.*must be a label such as "canary" or "rack=7"/s);
});

test('P2: presence carries labels, and that of an agent without any is what it was', () => {
  const plain = { region: 'eu', node: 'n1', agentVersion: '1', services: {} };
  for (const presence of [plain, { ...plain, labels: ['canary'] }])
    expect(decode(encode(presence), presenceSchema)).toStrictEqual({ ok: true, value: presence });
});
