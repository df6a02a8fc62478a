/** Bugs in what both programs share: the loop around the cores, slots, shares, bytes. */

import type { Mutant } from './mutant.ts';

const ADAPTERS = 'packages/shared/src/adapters';
const DOMAIN = 'packages/shared/src/domain';

export const SHARED_MUTANTS: readonly Mutant[] = [
  {
    name: 'performed-before-saved',
    story: 'A program that dies between the act and the note of it does not know what it has done.',
    file: 'packages/shared/src/shell/machine.ts',
    find: `    await save(before, this.#state);
    if (this.#ended) return;
    for (const { acknowledge } of taken) acknowledge();
    for (const effect of effects) perform(effect);`,
    replace: `    for (const effect of effects) perform(effect);
    await save(before, this.#state);
    if (this.#ended) return;
    for (const { acknowledge } of taken) acknowledge();`,
    breaks: ['I1', 'I4', 'I8', 'I14'],
    world: 'deadly',
  },
  {
    name: 'acknowledged-before-saved',
    story:
      'What people published counts as read before it is saved: a coordinator that dies in between loses it.',
    file: 'packages/shared/src/shell/machine.ts',
    find: `    await save(before, this.#state);
    if (this.#ended) return;
    for (const { acknowledge } of taken) acknowledge();`,
    replace: `    for (const { acknowledge } of taken) acknowledge();
    await save(before, this.#state);
    if (this.#ended) return;`,
    breaks: ['B16'],
    world: 'frayed',
  },
  {
    name: 'held-slot-taken-for-free',
    story: 'Nodes claim slots that others hold, and more of them are down than may be.',
    file: `${DOMAIN}/slot.ts`,
    find: '.filter(({ entry }) => entry?.holder === undefined)',
    replace: '.filter(({ entry }) => entry?.holder === undefined || entry.holder.leaseMs < 60_000)',
    breaks: ['I1', 'I7'],
    world: 'quiet',
  },
  {
    name: 'slots-beyond-a-smaller-wave-not-counted',
    story: 'The limit is lowered, and those still out by the old one do not count.',
    file: `${DOMAIN}/slot.ts`,
    find: 'return [...view.keys()].filter((slot) => slot >= slots);',
    replace: 'return [...view.keys()].filter((slot) => slot < 0 && slot >= slots);',
    breaks: ['I1'],
    world: 'fickle',
  },
  {
    name: 'conflict-taken-for-success',
    story: 'Of two nodes that claim one slot both believe that they have it.',
    file: `${ADAPTERS}/slot-bucket.ts`,
    find: 'if (isOurs && entry.revision > expect)',
    replace: 'if (entry !== undefined && entry.revision > expect)',
    breaks: ['I1', 'I2'],
    world: 'quiet',
  },
  {
    name: 'claims-bear-one-name',
    story: 'The bus takes the second claim of a slot for a repetition of the first, and both nodes go.',
    file: `${ADAPTERS}/slot-bucket.ts`,
    find: 'const id = `${expect}.${holder.node}.${holder.attempt}`;',
    replace: 'const id = `${expect}`;',
    breaks: ['I1', 'I2'],
    world: 'quiet',
  },
  {
    name: 'claim-expects-nothing',
    story: 'A claim is written over whoever holds the slot.',
    file: `${ADAPTERS}/slot-bucket.ts`,
    find: 'const publication = { subject: key, body: encode(holder), line, id, expectLast: expect };',
    replace: 'const publication = { subject: key, body: encode(holder), line, id };',
    breaks: ['I1', 'I7'],
    world: 'quiet',
  },
  {
    name: 'free-expects-nothing',
    story: 'A node that comes back late frees the slot that is long another one’s.',
    file: `${ADAPTERS}/slot-bucket.ts`,
    find: 'const freed = { subject, body: new Uint8Array(), line, id, expectLast: expect, deletes: true };',
    replace: 'const freed = { subject, body: new Uint8Array(), line, id, deletes: true };',
    breaks: ['I1', 'I2', 'I7'],
    world: 'absent',
  },
  {
    name: 'published-once-only',
    story: 'An order that the bus did not take at once is never written again, and the rollout stands still.',
    file: `${ADAPTERS}/persistent-publish.ts`,
    find: 'if (!(error instanceof BusError) || !error.retryable) throw error;',
    replace: 'throw error;',
    breaks: ['I14', 'I5', 'I1'],
    world: 'lossy',
  },
  {
    name: 'repeated-under-another-name',
    story: 'A report whose acknowledgement was lost is told twice, and so is every event.',
    file: `${ADAPTERS}/persistent-publish.ts`,
    find: 'return await bus.publish(publication);',
    replace: 'return await bus.publish({ ...publication, id: `${publication.id}.${tries}` });',
    breaks: ['B16'],
    world: 'lossy',
  },
  {
    name: 'share-rounded-up',
    story:
      'Five per cent of ten nodes is one, of twenty-one it is two: more nodes are down than the policy allows.',
    file: `${DOMAIN}/policy.ts`,
    find: 'return Math.max(1, Math.floor(exactly((nodes * share.percent) / 100)));',
    replace: 'return Math.max(1, Math.ceil(exactly((nodes * share.percent) / 100)));',
    breaks: ['I1'],
    world: 'quiet',
  },
  {
    name: 'budget-takes-no-notice-of-the-sample',
    story: 'The first failure of a stage is a hundred per cent, and halts a good release.',
    file: `${DOMAIN}/failure-budget.ts`,
    find: 'if (tally.attempted < budget.minSample && !tally.stageEnded) return false;',
    replace: '',
    breaks: ['N11'],
    world: 'quiet',
  },
];
