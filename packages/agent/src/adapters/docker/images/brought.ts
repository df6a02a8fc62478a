/**
 * What Swell brought to a node, written on the images themselves, so that it survives whoever wrote it. An image has no labels
 * that could be added to; a name of our own does it, which `docker images 'swell.local/*'` shows:
 *
 *     swell.local/bringing:<mark>   on the image that runs, while another one is pulled: whoever finds that one knows whose it is
 *     swell.local/brought:<mark>    on the image that was pulled
 *     swell.local/last-good:<place> on the one that the service goes back to (`swap/swap.ts`); of several parts, on each one's
 *     swell.local/last-good-part:<part's hash>.<place>
 *
 * A mark tells of the reference that was pulled, and for which service of which agent. Names go in an order that leaves an image
 * known as ours until it is gone: first what it was pulled by, at last the marks.
 */

import { createHash } from 'node:crypto';
import { type Digest, type PinnedImage, parseImageReference } from '@swell/shared/domain/image.ts';
import type { PartName } from '@swell/shared/domain/unit.ts';
import { mayGo } from '../../../core/images.ts';
import type { Dockerd } from '../dockerd.ts';
import type { InspectedImage } from '../inspected.ts';
import { LAST_GOOD_IMAGE_LABEL } from '../memo.ts';
import { digestsOf } from './images.ts';

const OURS = 'swell.local';
const LAST_GOOD = `${OURS}/last-good`;
const LAST_GOOD_PART = `${OURS}/last-good-part`;
const BROUGHT = `${OURS}/brought`;
const BRINGING = `${OURS}/bringing`;
const DIGEST_DIGITS = 12;
const REFERENCE_DIGITS = 8;
const PART_DIGITS = 8;
const TAG_LENGTH_MAX = 128;
const MARK = new RegExp(`^[0-9a-f]{${DIGEST_DIGITS}}-[0-9a-f]{${REFERENCE_DIGITS}}\\.(.+)$`);

/** A service of one agent, as a tag can tell it. */
export type Place = string;

export function placeOf(service: string, scope: string | undefined): Place {
  const text = scope === undefined ? service : `${service}.${scope}`;
  return text.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, TAG_LENGTH_MAX);
}

/** What is pulled, and for whom; people find the digest's first digits in it. */
export function markOf(
  place: Place,
  { repository, digest }: Pick<PinnedImage, 'repository' | 'digest'>,
): string {
  const reference = createHash('sha256').update(`${repository}@${digest}`).digest('hex');
  const start = 'sha256:'.length;
  const known = `${digest.slice(start, start + DIGEST_DIGITS)}-${reference.slice(0, REFERENCE_DIGITS)}`;
  return `${known}.${place}`.slice(0, TAG_LENGTH_MAX);
}

/** The name that keeps a last good image from being pruned. A part's own name may be of letters that no tag tells apart. */
export function keepsakeOf(
  place: Place,
  part: PartName | undefined,
): { readonly repository: string; readonly tag: string } {
  if (part === undefined) return { repository: LAST_GOOD, tag: place };
  const hash = createHash('sha256').update(part).digest('hex').slice(0, PART_DIGITS);
  return { repository: LAST_GOOD_PART, tag: `${hash}.${place}`.slice(0, TAG_LENGTH_MAX) };
}

/** The names that an image has, by whose they are. */
export interface Names {
  /** What Swell pulled it by, as its marks tell. */
  readonly pulled: readonly string[];
  /** Of this place: marks, and a keepsake. */
  readonly marks: readonly string[];
  readonly keepsakes: readonly string[];
  /** It was brought for this place. */
  readonly isBrought: boolean;
  /** It was brought for another place as well. */
  readonly isShared: boolean;
  /** Somebody else gave it a name, or another place needs it yet. */
  readonly isNamed: boolean;
}

type Named = Pick<InspectedImage, 'RepoTags' | 'RepoDigests'>;

/** Reads what Docker tells of an image's names; it writes those of its own registry short. */
export function namesOf(image: Named, place: Place): Names {
  const { tags, digests } = namesIn(image);
  const own = tags.filter((name) => name.startsWith(`${OURS}/`));
  const ofPlace = (name: string): boolean => placeIn(name, place);
  const brought = own.filter((name) => name.startsWith(`${BROUGHT}:`));
  const pulled = digests.filter((name) => brought.some((mark) => isMarked(name, tagOf(mark))));
  const keepsakes = own.filter(
    (name) => name.startsWith(`${LAST_GOOD}:`) || name.startsWith(`${LAST_GOOD_PART}:`),
  );
  const others = own.filter((name) => !name.startsWith(`${BROUGHT}:`) && !ofPlace(name));
  const isNamed = tags.length > own.length || digests.length > pulled.length || others.length > 0;
  return {
    pulled,
    marks: own.filter((name) => ofPlace(name) && !keepsakes.includes(name)),
    keepsakes: keepsakes.filter(ofPlace),
    isBrought: brought.some(ofPlace),
    isShared: !brought.every(ofPlace),
    isNamed,
  };
}

/** A node's dockerd, and the service that images are brought for. */
export interface Holding {
  readonly dockerd: Dockerd;
  readonly place: Place;
}

/**
 * Before a pull: should its agent die, what came is known to be ours. It is written on the image that runs, which is there.
 *
 * @param carrier the image that runs; without one nothing is written, and what comes is ours only if its agent lives
 */
export async function announce(
  { dockerd, place }: Holding,
  pinned: PinnedImage,
  carrier: string | undefined,
): Promise<void> {
  if (carrier !== undefined) await dockerd.tag(carrier, BRINGING, markOf(place, pinned));
}

/** After the pull. */
export async function sign({ dockerd, place }: Holding, pinned: PinnedImage, imageId: string): Promise<void> {
  const mark = markOf(place, pinned);
  await dockerd.tag(imageId, BROUGHT, mark);
  await dockerd.untag(`${BRINGING}:${mark}`);
}

/** Of an image that was there already: did an agent that died bring it, or one for another service? */
export async function adopt(holding: Holding, pinned: PinnedImage, image: InspectedImage): Promise<void> {
  const { isBrought, isShared } = namesOf(image, holding.place);
  if (isBrought) return;
  const begun = await holding.dockerd.image(`${BRINGING}:${markOf(holding.place, pinned)}`);
  if (isShared || begun !== undefined) await sign(holding, pinned, image.Id);
}

/** Takes away what was brought for this place and nobody needs. What went, in words. */
export async function cleanImages(
  holding: Holding,
  wanted: readonly Digest[] | undefined,
): Promise<readonly string[]> {
  const { dockerd, place } = holding;
  await finishPulls(holding);
  const gone: string[] = [];
  for (const { Id } of await dockerd.images([BROUGHT])) {
    const image = await dockerd.image(Id);
    if (image === undefined || !namesOf(image, place).isBrought) continue;
    // Of each one anew: it may have become somebody's while the one before it went.
    const containers = await dockerd.list([]);
    const found = {
      digests: digestsOf(image),
      isUsed: containers.some(({ imageId }) => imageId === Id),
      isLastGood: containers.some(({ labels }) => labels[LAST_GOOD_IMAGE_LABEL] === Id),
      isNamed: namesOf(image, place).isNamed,
    };
    if (mayGo(found, wanted)) gone.push(...(await remove(dockerd, image, namesOf(image, place))));
  }
  return gone;
}

async function remove(dockerd: Dockerd, { Id }: InspectedImage, names: Names): Promise<readonly string[]> {
  const known = names.isShared ? [] : names.pulled;
  for (const name of [...known, ...names.keepsakes, ...names.marks]) {
    // Somebody made a container of it just now.
    if (!(await dockerd.untag(name))) return [];
  }
  return names.isShared ? [] : [names.pulled[0] ?? Id];
}

/** Pulls that an agent of this place had begun and did not live to sign. None is under way now. */
async function finishPulls({ dockerd, place }: Holding): Promise<void> {
  const carriers = await dockerd.images([BRINGING]);
  const begun = carriers.flatMap((image) =>
    namesIn(image).tags.filter((name) => name.startsWith(`${BRINGING}:`) && placeIn(name, place)),
  );
  if (begun.length === 0) return;
  const all = await dockerd.images();
  for (const name of begun) {
    const mark = tagOf(name);
    const come = all.find((image) => namesIn(image).digests.some((text) => isMarked(text, mark)));
    if (come !== undefined) await dockerd.tag(come.Id, BROUGHT, mark);
    const carrier = await dockerd.image(name);
    // With its last name an image would go: this one is not ours.
    const { tags, digests } = namesIn(carrier ?? {});
    if (tags.length + digests.length > 1) await dockerd.untag(name);
  }
}

function isMarked(text: string, mark: string): boolean {
  const { repository, digest } = parseImageReference(text) ?? {};
  return (
    repository !== undefined &&
    digest !== undefined &&
    knownBy(markOf('', { repository, digest })) === knownBy(mark)
  );
}

/** containerd's store tells what an image was pulled by among its tags, and of each tag a digest as well. */
function namesIn({ RepoTags, RepoDigests }: Partial<Named>): {
  readonly tags: readonly string[];
  readonly digests: readonly string[];
} {
  const all = [...new Set([...named(RepoTags), ...named(RepoDigests)])];
  return {
    tags: all.filter((name) => !name.includes('@')),
    digests: all.filter((name) => name.includes('@') && !name.startsWith(`${OURS}/`)),
  };
}

/** Docker writes that an image has no name as a name. */
function named(names: readonly string[] | null | undefined): readonly string[] {
  return (names ?? []).filter((name) => !name.startsWith('<none>'));
}

function tagOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function placeIn(name: string, place: Place): boolean {
  const tag = tagOf(name);
  if (name.startsWith(`${LAST_GOOD}:`)) return tag === place;
  if (name.startsWith(`${LAST_GOOD_PART}:`))
    return tag === `${tag.slice(0, PART_DIGITS)}.${place}`.slice(0, TAG_LENGTH_MAX);
  return tag === `${knownBy(tag)}.${place}`.slice(0, TAG_LENGTH_MAX) && MARK.test(tag);
}

/** The part of a mark that tells of the image. */
function knownBy(mark: string): string {
  return mark.slice(0, DIGEST_DIGITS + 1 + REFERENCE_DIGITS);
}
