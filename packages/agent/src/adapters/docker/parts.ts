/** What part of a stack a container is, and which parts come before which. */

import type { Digest } from '@swell/shared/domain/image.ts';
import { isInherited } from '@swell/shared/domain/names.ts';
import { PART_PATTERN, type PartName, unitDigest } from '@swell/shared/domain/unit.ts';
import type { Dockerd } from './dockerd.ts';
import { digestsOf } from './images/images.ts';
import type { InspectedContainer, InspectedImage } from './inspected.ts';

/** What an operator calls a part that Compose did not make, or calls otherwise. */
const PART_LABEL = 'swell.part';
export const COMPOSE_SERVICE = 'com.docker.compose.service';
/** `db:service_healthy:true,cache:service_started:false` */
const DEPENDS_ON = 'com.docker.compose.depends_on';

type Labels = Readonly<Record<string, string>>;

export function partOf(labels: Labels): PartName | undefined {
  const name = labels[PART_LABEL] ?? labels[COMPOSE_SERVICE];
  return name !== undefined && PART_PATTERN.test(name) && !isInherited(name) ? name : undefined;
}

/** The parts that the containers are; `undefined` where one of them is none. */
export function partNamesOf(containers: readonly InspectedContainer[]): readonly PartName[] | undefined {
  const parts = containers.map(({ Config }) => partOf(Config.Labels ?? {}));
  const named = parts.filter((part) => part !== undefined);
  return named.length < parts.length ? undefined : [...new Set(named)].sort();
}

/**
 * The services of the stack that Compose starts before it.
 *
 * @param how `restart`: only those with which it is restarted
 */
export function dependencies(labels: Labels, how: 'anyhow' | 'restart' = 'anyhow'): readonly string[] {
  return (labels[DEPENDS_ON] ?? '').split(',').flatMap((entry) => {
    const [name = '', , restarts] = entry.split(':');
    return name !== '' && (how === 'anyhow' || restarts === 'true') ? [name] : [];
  });
}

/** A stable order in which everybody comes after those whom he needs; in a circle as they are found. */
export function inOrder<Item>(
  items: readonly Item[],
  needs: (one: Item, other: Item) => boolean,
): readonly Item[] {
  const ordered: Item[] = [];
  let rest = items;
  while (rest.length > 0) {
    const next = rest.find((one) => rest.every((other) => other === one || !needs(one, other))) ?? rest[0];
    if (next !== undefined) ordered.push(next);
    rest = rest.filter((one) => one !== next);
  }
  return ordered;
}

/** Every digest by which what these containers run can be known: what all of them have, and that of a unit of theirs. */
export async function runningDigests(
  dockerd: Pick<Dockerd, 'image'>,
  containers: readonly InspectedContainer[],
): Promise<readonly Digest[]> {
  const ids = [...new Set(containers.map(({ Image }) => Image))];
  const images = new Map(await Promise.all(ids.map(async (id) => [id, await dockerd.image(id)] as const)));
  const [first = [], ...others] = ids.map((id) => known(images.get(id)));
  const common = first.filter((digest) => others.every((other) => other.includes(digest)));
  const unit = unitAmong(containers, images);
  return unit === undefined ? common : [...common, unit];
}

function unitAmong(
  containers: readonly InspectedContainer[],
  images: ReadonlyMap<string, InspectedImage | undefined>,
): Digest | undefined {
  const digests: Record<PartName, Digest> = {};
  for (const { Config, Image } of containers) {
    const part = partOf(Config.Labels ?? {});
    const all = known(images.get(Image));
    // An image may have several; one that we brought was asked for by one of them.
    const digest = all.find((one) => Config.Image?.endsWith(`@${one}`)) ?? all[0];
    if (part === undefined || digest === undefined || (digests[part] ?? digest) !== digest) return undefined;
    digests[part] = digest;
  }
  return Object.keys(digests).length < 2 ? undefined : unitDigest(digests);
}

function known(image: InspectedImage | undefined): readonly Digest[] {
  return image === undefined ? [] : digestsOf(image);
}
