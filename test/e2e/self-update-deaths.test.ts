/**
 * Agents that die while one follows the other: a gate holds one of their requests to Docker, and there the old one dies by
 * SIGKILL, or the new one, or both. Whatever dies, one agent remains, as the first one was made, and each attempt has one
 * result. It needs dockerd on this machine.
 */

import { expect, it } from 'vitest';
import type { Moment } from '../fleet/docker-gate.ts';
import { renaming, selfUpdatingOfThisFile, TURN_MS } from '../fleet/self-updating.ts';
import { describeWithDocker } from '../support/needs.ts';

const START = /^POST \/containers\/\w+\/start/;

type Dying = 'the old one' | 'the new one' | 'both';

/** In the order of a swap. */
const DEATHS: readonly (readonly [dying: Dying, when: Moment['when'], what: string, pattern: RegExp])[] = [
  ['the old one', 'after', 'the new one is created', /^POST \/containers\/create/],
  ['the old one', 'after', 'the new one is started', START],
  ['both', 'after', 'the new one is started', START],
  ['the old one', 'after', 'the old one has lost its name', renaming('[.]swell-prev')],
  ['the old one', 'before', 'the commit point', renaming('[.]swell-old')],
  ['the new one', 'before', 'the commit point', renaming('[.]swell-old')],
  ['both', 'before', 'the commit point', renaming('[.]swell-old')],
  ['the new one', 'after', 'the commit point', renaming('[.]swell-old')],
  ['both', 'after', 'the commit point', renaming('[.]swell-old')],
  ['the new one', 'after', 'it has its restart policy', /^POST \/containers\/\w+\/update/],
  ['the new one', 'after', 'the old one was stopped', /^POST \/containers\/\w+\/stop/],
  ['the new one', 'before', 'the old one is removed', /^DELETE \/containers\//],
];

describeWithDocker('an agent that updates itself and dies', () => {
  const own = selfUpdatingOfThisFile();

  it.each(DEATHS)(
    '%s, %s %s: one agent remains',
    { timeout: TURN_MS },
    async (dying, when, what, pattern) => {
      const tag = `${dying} ${when} ${what}`.replaceAll(/\W+/g, '-');
      const held = own().gate.hold({ pattern, when });
      const rollout = await own().release(tag);
      await held.arrived;
      await own().agents.kill(dying, tag);
      held.release();
      await own().fleet.log.untilEvent('rollout-settled', rollout);
      await own().expectAlone(tag);
      const results = await own().resultsOf(rollout);
      expect(results.at(-1)?.status).toBe('healthy');
      expect(new Set(results.map(({ attempt }) => attempt)).size).toBe(results.length);
    },
  );
});
