import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const MEMORY = { SWELL_REGION: 'eu', SWELL_NODE: 'a', SWELL_ENGINE: 'memory' };

it('takes from the environment what a machine in memory pretends to run', () => {
  const machine = JSON.stringify({ containers: { web: DIGEST }, sick: [DIGEST] });
  expect(readConfig({ ...MEMORY, SWELL_MEMORY_ENGINE: machine }).engine).toEqual({
    kind: 'memory',
    containers: { web: DIGEST },
    sick: [DIGEST],
    workMs: 0,
  });
});

it.each([
  ['{', 'SWELL_MEMORY_ENGINE: the message is not JSON'],
  ['{"containers":{"web":"v1"}}', 'SWELL_MEMORY_ENGINE: containers.web: must be a digest'],
  ['{"containers":{},"siek":[]}', 'SWELL_MEMORY_ENGINE: there is no field "siek" (did you mean "sick"?)'],
])('refuses %s and says why', (machine, problem) => {
  expect(() => readConfig({ ...MEMORY, SWELL_MEMORY_ENGINE: machine })).toThrow(problem);
});
