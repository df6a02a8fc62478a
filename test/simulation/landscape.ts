/** What a world is drawn to have: its services, which of them is a unit or watches a tag, and what runs on each machine. */

import type { MemoryContainer } from '@swell/agent/adapters/memory-engine.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { PartName } from '@swell/shared/domain/unit.ts';
import type { Chance } from './chance.ts';
import type { Profile } from './profile.ts';
import { PARTS, stackOf } from './units.ts';

/** The one that every world has. */
export const FIRST = 'web';
/** Each may depend on those behind it. */
const SERVICES: readonly ServiceName[] = [FIRST, 'queue', 'db'];
/** How many there are, where there are several. */
const SEVERAL = [2, 2, 3];
/** A share of the nodes has each of the services beside the first. */
const HOSTS = 0.8;
/** A share of the nodes has not all parts of a unit, and can have no release of it. */
const LACKING = 0.1;
/** Of the service, on one node: most have one. */
const REPLICAS = [1, 1, 1, 2, 3];

export interface Landscape {
  /** Each may depend on those behind it. */
  readonly services: readonly ServiceName[];
  /** Those whose releases are units. */
  readonly units: ReadonlySet<ServiceName>;
  /** Those whose policies watch a tag. */
  readonly watched: ReadonlySet<ServiceName>;
}

export function drawLandscape({ variety }: Profile, chance: Chance): Landscape {
  const numbers = chance.fork('services');
  const count = numbers.happens(variety.severalServices) ? numbers.pick(SEVERAL) : 1;
  const hasUnit = chance.fork('units').happens(variety.units);
  const hasTag = !hasUnit && chance.fork('tags').happens(variety.watchedTags);
  return {
    services: SERVICES.slice(0, count),
    units: new Set(hasUnit ? [FIRST] : []),
    watched: new Set(hasTag ? [FIRST] : []),
  };
}

/** What somebody has brought up on a machine. */
export interface Household {
  readonly containers: Readonly<Record<ServiceName, MemoryContainer>>;
  /** The parts that its units have. */
  readonly parts: readonly PartName[];
}

export function drawHousehold(
  { services, units }: Landscape,
  digest: Digest,
  chance: Chance,
  name: string,
): Household {
  const replicas = chance.fork(`replicas of ${name}`).pick(REPLICAS);
  const hosted = chance.fork(`services of ${name}`);
  const here = services.filter((service) => service === FIRST || hosted.happens(HOSTS));
  const parts = hosted.happens(LACKING) ? PARTS.slice(1) : PARTS;
  const containerOf = (service: ServiceName): MemoryContainer =>
    units.has(service) ? stackOf(digest, parts) : { up: true, digest, replicas };
  return {
    containers: Object.fromEntries(here.map((service) => [service, containerOf(service)])),
    parts,
  };
}
