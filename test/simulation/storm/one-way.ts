/** People who release what cannot be undone, well or not: whoever starts it stays on it until there is something newer. */

import { ailmentOf, deliver } from '../deliveries.ts';
import { SERVICE } from '../world.ts';
import type { Fault } from './fault.ts';

export const ONE_WAY_FAULTS = {
  'release that cannot be undone': {
    per: 'world',
    strike({ world }, chance) {
      const ailment = ailmentOf(chance, world.profile.badReleases);
      const { version } = deliver(world, SERVICE, { ailment, more: { irreversible: true } });
      return `${version}, ${ailment ?? 'well'}`;
    },
  },
} as const satisfies Record<string, Fault>;
