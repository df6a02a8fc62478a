/** The tag that a service's policy watches: people push images to it, move it back, and answer what is proposed. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { versionOf } from '@swell/shared/domain/watch.ts';
import type { Ailment } from './ailments.ts';
import type { Chance } from './chance.ts';
import type { Delivery } from './deliveries.ts';
import type { World } from './world.ts';

const TAG = 'latest';

/** What it has named since when. */
export interface Shown {
  readonly digest: Digest;
  readonly sinceMs: number;
}

export function watchedImage(service: ServiceName): string {
  return `registry.example/${service}:${TAG}`;
}

/** A new image behind the tag; whoever watches it is to bring it out. */
export function push(world: World, service: ServiceName, ailment?: Ailment): Delivery {
  const digest = world.publishImage(`v${world.registry.tags.size + 1}`, ailment);
  return { service, rollout: 'of its tag', ...pointTag(world, service, digest) };
}

/** To what it named before, at some time. */
export function moveBack(world: World, service: ServiceName, chance: Chance): void {
  if (world.shown.length > 0) pointTag(world, service, chance.pick(world.shown).digest);
}

export function pointTag(
  world: World,
  service: ServiceName,
  digest: Digest,
): Pick<Delivery, 'version' | 'digest'> {
  const version = versionOf({ repository: `registry.example/${service}`, tag: TAG }, digest);
  world.registry.moving.set(TAG, digest);
  world.versions.set(version, digest);
  if (world.shown.at(-1)?.digest !== digest) world.shown.push({ digest, sinceMs: world.nowMs });
  return { version, digest };
}

/** What waits for a person's answer, as the log tells it. */
export function proposalOf({ judge: { entries } }: World, service: ServiceName): Digest | undefined {
  const last = entries.findLast(
    (entry) =>
      entry.kind === 'event' && entry.event.service === service && entry.event.name === 'release-proposed',
  );
  return last?.kind === 'event' ? last.event.digest : undefined;
}
