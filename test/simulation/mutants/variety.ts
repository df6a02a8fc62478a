/** Bugs in what only some worlds have: several services, units, watched tags; and in halts after which nobody returns. */

import type { Mutant } from './mutant.ts';

const COORDINATOR = 'packages/coordinator/src/core';

export const VARIETY_MUTANTS: readonly Mutant[] = [
  {
    name: 'dependencies-not-awaited',
    story: 'A release begins though a service that it depends on has a rollout under way.',
    file: `${COORDINATOR}/dependencies.ts`,
    find: "if (rollout?.is !== 'under way') return undefined;\n  const why = `rollout ${rollout.number} of ${service}, which is under way`;\n  return { why, ...(per === 'region' && { through: rollout.through }) };",
    replace: 'return per === rollout?.reason ? { why: service } : undefined;',
    breaks: ['K3'],
    world: 'chained',
  },
  {
    name: 'stops-of-dependencies-not-heeded',
    story: 'A rollout goes on while a service that it depends on goes back.',
    file: `${COORDINATOR}/dependencies.ts`,
    find: 'const stops = hindrances.filter(({ through }) => through === undefined);',
    replace: 'const stops = hindrances.filter(() => false);',
    breaks: ['K3'],
    world: 'chained',
  },
  {
    name: 'members-of-the-train-not-awaited',
    story: 'A release that names all members of its train begins before they are published.',
    file: `${COORDINATOR}/dependencies.ts`,
    find: "return isIn ? rollout.is !== 'under way' : trainOf.includes(service);",
    replace: "return isIn && rollout.is !== 'under way' && trainOf.includes(service);",
    breaks: ['K3'],
    world: 'chained',
  },
  {
    name: 'regions-that-wait-forgotten',
    story: 'Where a service follows another one region by region, all regions open at once.',
    file: `${COORDINATOR}/dependencies.ts`,
    find: 'return closed.includes(region) || awaiting?.regions.includes(region) === true;',
    replace: "return closed.includes(region) || awaiting?.reason === '';",
    breaks: ['K3'],
    world: 'chained',
  },
  {
    name: 'unit-brought-where-a-part-is-missing',
    story: 'A node that has one part only of what a release brings is given that one.',
    file: 'packages/shared/src/domain/unit.ts',
    find: 'if (missing.length > 0) return',
    replace: 'if (missing.length > parts.length) return',
    breaks: ['B18'],
    world: 'stacked',
  },
  {
    name: 'parts-pinned-to-the-first',
    story: 'All parts of a unit are pinned to the digest of one of them.',
    file: 'packages/shared/src/domain/unit.ts',
    find: 'pin(image, parts?.[part] ?? digest),',
    replace: 'pin(image, Object.values(parts ?? {})[0] ?? parts?.[part] ?? digest),',
    breaks: ['B18'],
    world: 'stacked',
  },
  {
    name: 'stay-not-ordered',
    story: 'A halt after which nobody is to return is ordered like any other.',
    file: `${COORDINATOR}/halting.ts`,
    find: 'version, reason, ...(stay && { stay }) };',
    replace: "version, reason, ...(stay && reason === '' && { stay }) };",
    breaks: ['B14'],
    world: 'talkative',
  },
  {
    name: 'stay-not-obeyed',
    story: 'An agent goes back after every halt, whatever it says.',
    file: 'packages/agent/src/core/want.ts',
    find: 'if (halt.stay === true) return undefined;',
    replace: '',
    breaks: ['B14'],
    world: 'talkative',
  },
];
