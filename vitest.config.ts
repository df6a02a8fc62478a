import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/slowest-first.ts';

/** Tests of real parts: four files at a time, since they mostly wait (a CI machine may have two cores), and patient with it. */
const realParts = {
  maxWorkers: 4,
  testTimeout: 240_000,
  hookTimeout: 240_000,
  env: {
    // Its reaper is an image of its own, which cannot be pulled everywhere. Suites remove what they start.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
  },
  sequence: { groupOrder: 1 },
};

export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          // One core less, where nothing is said.
          maxWorkers: '100%',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/conformance/**', 'test/e2e/**'],
          // Whole fleets live in some of them: how long that takes is the machine's matter.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...realParts,
          name: 'integration',
          include: ['test/{integration,conformance}/**/*.test.ts'],
        },
      },
      {
        test: { ...realParts, name: 'e2e', include: ['test/e2e/**/*.test.ts'] },
      },
    ],
  },
});
