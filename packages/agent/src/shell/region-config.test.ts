import { QUESTIONS } from '@swell/shared/domain/names.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import { presenceSchema } from '@swell/shared/protocol/reports.ts';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const TAKEN = /must be another name: swell\.ask\.<region>\.<node> is how a node is asked/;

test.each(QUESTIONS)('B15: no region is called "%s", which is a question to the coordinator', (region) => {
  expect(() => readConfig({ SWELL_REGION: region, SWELL_NODE: 'n1' })).toThrow(TAKEN);
  const presence = { region, node: 'n1', agentVersion: '1', services: {} };
  for (const read of [
    decode(encode(presence), presenceSchema),
    decode(encode({ regions: [[region]] }), policySchema),
    decode(encode({ hold: [{ region, reason: 'x' }] }), policySchema),
  ])
    expect(read).toEqual({ ok: false, problems: [expect.stringMatching(TAKEN)] });
  expect(readConfig({ SWELL_REGION: 'eu', SWELL_NODE: region }).node).toBe(region);
});
