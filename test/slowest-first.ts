/**
 * The order of the files of real parts: a file that takes minutes and is begun last keeps all workers waiting for one. What
 * vitest knows of a run before it forgets with its cache, and then it begins with the largest file, which is not the slowest.
 */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take more than a minute, slowest first. */
export const SLOW: readonly string[] = [
  'test/e2e/self-update-deaths.test.ts',
  'test/e2e/traffic.test.ts',
  'test/e2e/self-update-dockerd.test.ts',
  'test/e2e/self-update-compose.test.ts',
  'test/e2e/docker-stacks.test.ts',
  'test/conformance/bus-three.test.ts',
  'test/e2e/fidelity-cli.test.ts',
  'test/e2e/docker-engine.test.ts',
  'test/e2e/self-update.test.ts',
  'test/e2e/compose-lives-on.test.ts',
  'test/e2e/compose-units.test.ts',
  'test/e2e/coordinator-death.test.ts',
  'test/e2e/fidelity-compose.test.ts',
  'test/e2e/lost-slot.test.ts',
  'test/e2e/agent-death.test.ts',
  'test/integration/coordinator.test.ts',
  'test/integration/cli.test.ts',
];

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => groupOf(a) - groupOf(b) || placeOf(a) - placeOf(b));
  }
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder;
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = SLOW.findIndex((file) => moduleId.endsWith(`/${file}`));
  return place < 0 ? SLOW.length : place;
}
