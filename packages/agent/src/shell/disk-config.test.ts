import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

const AGENT = { SWELL_REGION: 'eu', SWELL_NODE: 'a' };

it.each([
  [undefined, { bytes: 1_024 ** 3 }],
  ['2GiB', { bytes: 2 * 1_024 ** 3 }],
  ['0B', { bytes: 0 }],
  ['10%', { share: 0.1 }],
])('of the disk %s is reserved: %j', (text, expected) => {
  expect(readConfig({ ...AGENT, SWELL_DISK_RESERVE: text }).diskReserve).toEqual(expected);
});

it.each(['2', '2GB', '-1GiB', '100%', 'much'])('refuses %s as a reserve and says what is wanted', (text) => {
  const problem = 'SWELL_DISK_RESERVE: must be a size ("2GiB", "512MiB") or a share ("10%")';
  expect(() => readConfig({ ...AGENT, SWELL_DISK_RESERVE: text })).toThrow(problem);
});
