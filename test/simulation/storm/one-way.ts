/** People who release what cannot be undone, well or not: whoever starts it stays on it until there is something newer. */

import { ailmentOf } from '../people.ts';
import type { Fault } from './fault.ts';

export const ONE_WAY_FAULTS = {
  'release that cannot be undone': {
    per: 'world',
    strike({ world }, chance) {
      const tag = `v${world.registry.tags.size + 1}`;
      const ailment = ailmentOf(chance, world.profile.badReleases);
      world.publishImage(tag, ailment);
      world.release({ image: `registry.example/web:${tag}`, irreversible: true });
      return `${tag}, ${ailment ?? 'well'}`;
    },
  },
} as const satisfies Record<string, Fault>;
