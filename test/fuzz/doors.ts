/** Every door that bytes come to. */

import type { Door } from './door.ts';
import { BUS_DOORS } from './doors/bus.ts';
import { DOCKER_DOORS } from './doors/docker.ts';
import { MESSAGE_DOORS } from './doors/messages.ts';
import { TEXT_DOORS } from './doors/texts.ts';

export const DOORS: readonly Door[] = [...MESSAGE_DOORS, ...TEXT_DOORS, ...BUS_DOORS, ...DOCKER_DOORS];
