/**
 * Creates new containers beside the old ones: the same wishes, another image, and the memo of the swap.
 */

import { type Digest, type PinnedImage, pullReference } from '@swell/shared/domain/image.ts';
import type { PartName, ReleaseImage } from '@swell/shared/domain/unit.ts';
import type { SwapOrder } from '../../../core/container.ts';
import { EngineError } from '../../engine.ts';
import { type Dockerd, refusalOf } from '../dockerd.ts';
import { digestsOf, stagedImage } from '../images/images.ts';
import { lastGoodFor } from '../images/last-good.ts';
import { otherMachine, platformOf } from '../images/platform.ts';
import {
  type ContainerConfig,
  type InspectedContainer,
  type InspectedImage,
  isUp,
  type Platform,
  plainName,
} from '../inspected.ts';
import { policyOf } from '../marks.ts';
import {
  LAST_GOOD_DIGEST_LABEL,
  LAST_GOOD_IMAGE_LABEL,
  type Memo,
  memoLabels,
  readMemo,
  volumesLeftBehind,
} from '../memo.ts';
import { partOf } from '../parts.ts';
import { landlordsOf, obstacleIn, standingOf, staysAsItIs } from '../spec/obstacles.ts';
import { carriedSpec, createBody, freshVolumes, rehomed, type Spec } from '../spec/spec.ts';

/** The image that a swap goes to, as it lies on the node. */
export interface Target {
  readonly imageId: string;
  readonly config: ContainerConfig;
  readonly platform: Platform | undefined;
  /** How `create` is told of it: by a name that people recognise, where it has one. */
  readonly reference: string;
  /** Of what the service as a whole goes to. */
  readonly digest?: Digest;
  /** Where the others have images of their own. */
  readonly part?: PartName;
}

/**
 * Throws `image-missing` where it is not on the node.
 *
 * @param olds the containers that tell of a last good image, the one that it is for first
 */
export async function findTarget(
  dockerd: Dockerd,
  target: SwapOrder['target'],
  olds: readonly InspectedContainer[],
): Promise<Target> {
  const [own = {}, ...others] = olds.map((old) => old.Config.Labels ?? {});
  if (target.kind === 'release') {
    const part = 'parts' in target.image ? partOf(own) : undefined;
    const pinned = imageFor(target.image, part);
    const image = await stagedImage(dockerd, pinned);
    const reference = pullReference(pinned);
    if (image === undefined) throw new EngineError('image-missing', `${reference} is not on this node`);
    const { digest } = target.image;
    const { Id: imageId, Config } = image;
    const platform = platformOf(image);
    return { imageId, config: Config ?? {}, platform, reference, digest, ...(part && { part }) };
  }
  const known = lastGoodFor(own, [own, ...others]);
  const image = known && (await dockerd.image(known.id));
  if (known === undefined || image === undefined)
    throw new EngineError('image-missing', 'no last good image was kept');
  const { part } = readMemo(own) ?? {};
  return {
    imageId: image.Id,
    config: image.Config ?? {},
    platform: platformOf(image),
    reference: image.Id,
    ...(known.digest !== undefined && { digest: known.digest }),
    ...(part !== undefined && { part }),
  };
}

/** Of a unit, the part's own. */
function imageFor(image: ReleaseImage, part: PartName | undefined): PinnedImage {
  if (!('parts' in image)) return image;
  const own = part === undefined ? undefined : image.parts[part];
  if (own !== undefined) return own;
  throw new EngineError('not-carried', 'the release brings no image for this part');
}

/**
 * Creates the new container as a draft: it is nothing until it is proven.
 *
 * @param running the digest by which the service as a whole is known, where it is not its container's alone
 * @param tenants ids of those that live in its namespaces, and are made anew next
 */
export async function createDraft(
  dockerd: Dockerd,
  order: SwapOrder,
  old: InspectedContainer,
  {
    target,
    tenants,
    running,
  }: {
    readonly target: Target;
    readonly tenants: readonly string[];
    readonly running: Digest | undefined;
  },
): Promise<void> {
  const oldImage = await imageOf(dockerd, old);
  const spec = carriedSpec(old, oldImage.Config ?? {}, volumesLeftBehind(old, target.imageId));
  const memo: Memo = { ...memoOf(order, old, target), ...broughtTo(spec, target) };
  // A part's own stands for nothing but the part.
  const own =
    target.part === undefined
      ? (readMemo(old.Config.Labels ?? {})?.target ?? digestsOf(oldImage)[0])
      : undefined;
  await create(
    dockerd,
    old,
    { spec, target },
    {
      ...memoLabels({ ...memo, ...(tenants.length > 0 && { tenants }) }),
      ...lastGoodLabels(order, old, running ?? own),
    },
  );
}

/**
 * Creates anew one that lives in the namespaces of a container that is swapped: the same image, the new home.
 *
 * @param lead the id of the service's container that goes
 * @param moved whose place each new container takes
 */
export async function createAlong(
  dockerd: Dockerd,
  order: SwapOrder,
  old: InspectedContainer,
  { lead, moved }: { readonly lead: string; readonly moved: ReadonlyMap<string, string> },
): Promise<void> {
  const image = await imageOf(dockerd, old);
  const named = await dockerd.image(old.Config.Image ?? '');
  // Under its name, as it is seen, unless that stands for another image by now.
  const reference = named?.Id === image.Id && old.Config.Image !== undefined ? old.Config.Image : image.Id;
  const target: Target = {
    imageId: image.Id,
    config: image.Config ?? {},
    platform: platformOf(image),
    reference,
  };
  const spec = rehomed(carriedSpec(old, target.config), moved);
  const { service } = order;
  const memo = { ...memoOf(order, old, target), along: { service, lead } };
  const oldState = staysAsItIs(old) ? 'stopped' : memo.oldState;
  const unchanged = lastGoodLabels({ ...order, lastGood: 'unchanged' }, old, undefined);
  await create(dockerd, old, { spec, target }, { ...memoLabels({ ...memo, oldState }), ...unchanged });
}

async function create(
  dockerd: Dockerd,
  old: InspectedContainer,
  { spec, target }: { readonly spec: Spec; readonly target: Target },
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const isComposed = old.Config.Labels?.['com.docker.compose.image'] !== undefined;
  const name = `${plainName(old.Name)}.swell-draft`;
  const request = {
    name,
    image: target.reference,
    body: createBody(spec),
    // Until it has shown itself, dockerd must not start it again behind our back.
    policy: { Name: 'no', MaximumRetryCount: 0 },
    labels: { ...labels, ...(isComposed && { 'com.docker.compose.image': target.imageId }) },
  };
  await dockerd.create(request).catch(async (error: unknown) => {
    throw (await isBeingFreed(dockerd, name, error))
      ? new EngineError('unavailable', `the name ${name} is taken yet`, { cause: error })
      : error;
  });
}

/**
 * Is it only for a while that the name is taken? dockerd goes on with what it was asked to make or to take away long after
 * nobody waits for it any more.
 */
async function isBeingFreed(dockerd: Dockerd, name: string, error: unknown): Promise<boolean> {
  if (refusalOf(error) !== 409) return false;
  const other = await dockerd.container(name);
  return other === undefined || readMemo(other.Config.Labels ?? {}) !== undefined;
}

async function imageOf(dockerd: Dockerd, old: InspectedContainer): Promise<InspectedImage> {
  const image = await dockerd.image(old.Image);
  if (image !== undefined) return image;
  throw new EngineError(
    'not-carried',
    'its image is gone from this node: what the operator asked for cannot be told',
  );
}

/** Nothing was touched yet: now is the time to say no. */
export async function refuse(dockerd: Dockerd, old: InspectedContainer, target: Target): Promise<void> {
  const obstacle = otherMachine(old, target.platform) ?? obstacleIn(old);
  if (obstacle !== undefined) throw new EngineError('not-carried', `the container ${obstacle}`);
  for (const landlord of landlordsOf(old)) {
    const found = await dockerd.container(landlord);
    if (found === undefined || !isUp(found.State)) {
      const how = found === undefined ? 'is gone' : 'does not run';
      throw new EngineError(
        'not-carried',
        `the container lives in the namespaces of ${landlord}, which ${how}`,
      );
    }
  }
}

function memoOf(order: SwapOrder, old: InspectedContainer, target: Target): Memo {
  return {
    attempt: order.attempt,
    replaces: old.Id,
    policy: policyOf(old),
    // A container of an earlier swap was created by digest; what its service's image is called, its own memo tells.
    reference: readMemo(old.Config.Labels ?? {})?.reference ?? old.Config.Image ?? '',
    oldState: standingOf(old) ?? 'broken',
    ...(target.digest !== undefined && { target: target.digest }),
    ...(target.part !== undefined && { part: target.part }),
    ...(order.stopTimeoutMs !== undefined && { stopTimeoutMs: order.stopTimeoutMs }),
    ...(order.irreversible === true && { irreversible: true }),
  };
}

function broughtTo(spec: Spec, target: Target): Pick<Memo, 'broughtVolumes'> {
  const broughtVolumes = [...freshVolumes(spec, target.config)];
  return broughtVolumes.length === 0 ? {} : { broughtVolumes };
}

function lastGoodLabels(
  order: SwapOrder,
  old: InspectedContainer,
  running: Digest | undefined,
): Record<string, string> {
  if (order.lastGood === 'running') {
    return {
      [LAST_GOOD_IMAGE_LABEL]: old.Image,
      ...(running !== undefined && { [LAST_GOOD_DIGEST_LABEL]: running }),
    };
  }
  if (order.lastGood === 'none') return {};
  const { [LAST_GOOD_IMAGE_LABEL]: id, [LAST_GOOD_DIGEST_LABEL]: digest } = old.Config.Labels ?? {};
  return {
    ...(id !== undefined && { [LAST_GOOD_IMAGE_LABEL]: id }),
    ...(digest !== undefined && { [LAST_GOOD_DIGEST_LABEL]: digest }),
  };
}
