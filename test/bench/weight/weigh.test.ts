import { expect, test } from 'vitest';
import { weightIn } from './weigh.ts';

test('what is private is all that only this process has, written or not', () => {
  const rollup = [
    '00400000-7ffd13b9e000 ---p 00000000 00:00 0                              [rollup]',
    'Rss:               65536 kB',
    'Pss:               24576 kB',
    'Shared_Clean:      43008 kB',
    'Private_Clean:      1024 kB',
    'Private_Dirty:     21504 kB',
  ].join('\n');
  expect(weightIn(rollup)).toEqual({ residentMb: 64, privateMb: 22, writtenMb: 21 });
  expect(() => weightIn('')).toThrow('the kernel says nothing of Rss');
});
