/** Releases that people publish: of new images, or of units of them. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { type ByPart, unitDigest } from '@swell/shared/domain/unit.ts';
import { AILMENTS, type Ailment } from './ailments.ts';
import type { Chance } from './chance.ts';
import { allOf, nextTags } from './units.ts';
import { digestOf, SERVICE, type World } from './world.ts';

/** What was released: `rollout` is its number, if the bus took it and we know it. */
export interface Delivery {
  readonly service: ServiceName;
  readonly rollout: number | 'of its tag' | undefined;
  readonly version: string;
  readonly digest: Digest;
}

interface DeliveryOptions {
  readonly ailment?: Ailment | undefined;
  /** All parts of a unit get the new image. */
  readonly whole?: boolean;
  readonly more?: object;
}

/** Releases an image that nobody has released before. */
export function deliver(
  world: World,
  service: ServiceName,
  { ailment, whole = false, more = {} }: DeliveryOptions = {},
): Delivery {
  const version = nextTag(world);
  const digest = world.publishImage(version, ailment);
  if (world.units.has(service)) return deliverUnit(world, service, version, { whole, more });
  const rollout = world.release({ image: `registry.example/${service}:${version}`, ...more }, service);
  return { service, rollout, version, digest };
}

/** The new image is that of all parts, or of one; and the unit is as well as each of them. */
function deliverUnit(
  world: World,
  service: ServiceName,
  version: string,
  { whole, more }: { readonly whole: boolean; readonly more: object },
): Delivery {
  const turn = whole ? 0 : world.unitTags.length;
  const tags = nextTags(world.unitTags.at(-1) ?? allOf('v1'), version, turn);
  world.unitTags.push(tags);
  return { service, version, ...releaseUnit(world, service, tags, { version, ...more }) };
}

/** Parts by their tags. */
export function releaseUnit(
  world: World,
  service: ServiceName,
  tags: ByPart<string>,
  more: object,
): Pick<Delivery, 'rollout' | 'digest'> {
  const images = Object.entries(tags).map(([part, tag]) => [part, `registry.example/${part}:${tag}`]);
  const parts = Object.fromEntries(Object.entries(tags).map(([part, tag]) => [part, digestOf(tag)]));
  const digest = unitDigest(parts);
  world.ailments.joins(digest, Object.values(parts));
  if ('version' in more) world.versions.set(String(more.version), digest);
  const rollout = world.release({ images: Object.fromEntries(images), ...more }, service);
  if (rollout !== undefined) world.unitsReleased.set(rollout, parts);
  return { rollout, digest };
}

/** One of the first service; returns the rollout's number. */
export function releaseNext(world: World, ailment?: Ailment): number | undefined {
  const { rollout } = deliver(world, SERVICE, { ailment });
  return rollout === 'of its tag' ? undefined : rollout;
}

export function newestTag({ registry }: World): string {
  return `v${registry.tags.size}`;
}

function nextTag({ registry }: World): string {
  return `v${registry.tags.size + 1}`;
}

/** What is wrong with an image that is released, if anything is. */
export function ailmentOf(chance: Chance, rate: number): Ailment | undefined {
  return chance.happens(rate) ? chance.pick(AILMENTS) : undefined;
}
