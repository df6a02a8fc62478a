/** Bugs in how coordinators keep to their regions, and heed each other. */

import type { Mutant } from './mutant.ts';

export const SCOPE_MUTANTS: readonly Mutant[] = [
  {
    name: 'every-region-is-ours',
    story: 'The coordinator of a region orders every other one as well, beside those who lead there.',
    file: 'packages/coordinator/src/shell/territory.ts',
    find: 'readonly isOurs = (region: Region): boolean => isOf(this.#assigned, this.scope, region);',
    replace:
      'readonly isOurs = (region: Region): boolean => isOf(this.#assigned, this.scope, region) || true;',
    breaks: ['N6'],
    world: 'scopes',
  },
  {
    name: 'halt-of-another-scope-unheeded',
    story: 'What has failed in one region goes on in all that others lead.',
    file: 'packages/coordinator/src/core/words/heeding.ts',
    find: 'return [...state.elsewhere.values()].reduce(heed, state);',
    replace: 'return [...state.elsewhere.values()].slice(0, 0).reduce(heed, state);',
    breaks: ['B12'],
    world: 'scopes',
  },
  {
    name: 'halt-in-the-wave-unread',
    story: 'In a region with a coordinator of its own nobody goes back after a halt.',
    file: 'packages/agent/src/core/halts.ts',
    find: 'return [halt?.order, wave?.order.halt].filter((one) => one !== undefined);',
    replace: 'return [halt?.order, wave && undefined].filter((one) => one !== undefined);',
    breaks: ['I5', 'B12'],
    world: 'scopes',
  },
];
