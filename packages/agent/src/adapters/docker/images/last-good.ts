/** What a service goes back to, as the labels of its containers tell it. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { Observation } from '../../../core/container.ts';
import type { Dockerd } from '../dockerd.ts';
import { LAST_GOOD_DIGEST_LABEL, LAST_GOOD_IMAGE_LABEL, readMemo } from '../memo.ts';
import { partOf } from '../parts.ts';

export type Labels = Readonly<Record<string, string>>;

/** A last good image, by its id; the digest stands for the whole of a unit. */
export interface LastGood {
  readonly id: string;
  readonly digest?: Digest;
}

/**
 * Where a container does not say it itself, another one of its service speaks for it: all of them go back to one image. In a
 * unit that is so within a part alone.
 */
export function lastGoodFor(own: Labels, all: readonly Labels[]): LastGood | undefined {
  const isUnit = all.some((labels) => readMemo(labels)?.part !== undefined);
  const others = isUnit ? all.filter((labels) => partOf(labels) === partOf(own)) : all;
  const { [LAST_GOOD_IMAGE_LABEL]: id, [LAST_GOOD_DIGEST_LABEL]: digest } =
    [own, ...others].find((labels) => LAST_GOOD_IMAGE_LABEL in labels) ?? {};
  return id === undefined ? undefined : { id, ...(digest !== undefined && { digest }) };
}

/** What the service as a whole goes back to; nothing, where one of its containers has nothing. */
export async function lastGoodOf(
  dockerd: Pick<Dockerd, 'image'>,
  all: readonly Labels[],
): Promise<Observation['lastGood']> {
  const found = all.map((labels) => lastGoodFor(labels, all));
  for (const one of found) {
    if (one === undefined || (await dockerd.image(one.id)) === undefined) return undefined;
  }
  const [first] = found;
  return first?.digest === undefined ? {} : { digest: first.digest };
}
