/** Bugs in how an agent hands its own node over. */

import type { Mutant } from './mutant.ts';

const AGENT = 'packages/agent/src';

export const OWN_AGENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'one-term-of-the-lease-for-two',
    story: 'Two agents of a node that ask for its lease at the same time both act on its containers.',
    file: `${AGENT}/adapters/lease-files.ts`,
    find: 'if (!(await this.#disk.link(this.#draft, this.#file(term)))) return false;',
    replace: 'await this.#disk.link(this.#draft, this.#file(term));',
    breaks: ['one acts'],
    world: 'one node',
  },
  {
    name: 'old-agent-judges-the-new-one',
    story:
      'An agent that took its node back from one that fell silent goes on with that one instead of removing it.',
    file: `${AGENT}/adapters/docker/self/self-plan.ts`,
    find: "return side === 'fresh' ? 'cut-over' : 'prepared';",
    replace: "return 'cut-over';",
    breaks: ['I9', 'one acts', 'one is kept'],
    world: 'one node',
  },
  {
    name: 'new-agent-never-gets-its-restart-policy',
    story: 'After its own update an agent that dies is dead for good: Docker does not start it again.',
    file: `${AGENT}/adapters/docker/self/self-plan.ts`,
    find: `  return samePolicy(fresh.policy, fresh.memo.policy)
    ? undefined
    : { step: 'restore-new-policy', fresh, policy: fresh.memo.policy };`,
    replace: '  return undefined;',
    breaks: ['one is kept'],
    world: 'one node',
  },
];
