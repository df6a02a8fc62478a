/** Every door that bytes come to. */

import type { Door } from './door.ts';
import { BUS_DOORS } from './doors/bus.ts';
import { DOCKER_DOORS } from './doors/docker.ts';
import { ENVIRONMENT_DOORS } from './doors/environment.ts';
import { FILE_DOORS } from './doors/files.ts';
import { FLEET_DOORS } from './doors/fleet.ts';
import { MESSAGE_DOORS } from './doors/messages.ts';
import { REGISTRY_DOORS } from './doors/registry.ts';
import { TEXT_DOORS } from './doors/texts.ts';

export const DOORS: readonly Door[] = [
  ...MESSAGE_DOORS,
  ...TEXT_DOORS,
  ...BUS_DOORS,
  ...DOCKER_DOORS,
  ...FILE_DOORS,
  ...REGISTRY_DOORS,
  ...ENVIRONMENT_DOORS,
  ...FLEET_DOORS,
];
