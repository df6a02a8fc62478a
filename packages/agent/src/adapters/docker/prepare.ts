/**
 * Creates the new container beside the old one: the same wishes, another image, and the memo of the swap.
 */

import { type Digest, pullReference } from '@swell/shared/domain/image.ts';
import type { SwapOrder } from '../../core/container.ts';
import { EngineError } from '../engine.ts';
import type { Dockerd } from './dockerd.ts';
import { digestsOf, stagedImage } from './images.ts';
import { type ContainerConfig, type InspectedContainer, isUp, plainName } from './inspected.ts';
import {
  LAST_GOOD_DIGEST_LABEL,
  LAST_GOOD_IMAGE_LABEL,
  type Memo,
  memoLabels,
  policyOf,
  readMemo,
  volumesLeftBehind,
} from './marks.ts';
import { dependentsOn, landlordsOf, obstacleIn, standingOf } from './obstacles.ts';
import { carriedSpec, createBody, freshVolumes, type Spec } from './spec.ts';

/** The image that a swap goes to, as it lies on the node. */
export interface Target {
  readonly imageId: string;
  readonly config: ContainerConfig;
  /** How `create` is told of it: by a name that people recognise, where it has one. */
  readonly reference: string;
  readonly digest?: Digest;
}

/** Throws `image-missing` where it is not on the node. */
export async function findTarget(
  dockerd: Dockerd,
  target: SwapOrder['target'],
  old: InspectedContainer,
): Promise<Target> {
  if (target.kind === 'release') {
    const image = await stagedImage(dockerd, target.image);
    const reference = pullReference(target.image);
    if (image === undefined) throw new EngineError('image-missing', `${reference} is not on this node`);
    return { imageId: image.Id, config: image.Config ?? {}, reference, digest: target.image.digest };
  }
  const { [LAST_GOOD_IMAGE_LABEL]: id, [LAST_GOOD_DIGEST_LABEL]: digest } = old.Config.Labels ?? {};
  const image = id === undefined ? undefined : await dockerd.image(id);
  if (image === undefined) throw new EngineError('image-missing', 'no last good image was kept');
  return {
    imageId: image.Id,
    config: image.Config ?? {},
    reference: image.Id,
    ...(digest !== undefined && { digest }),
  };
}

/** Creates the new container as a draft: it is nothing until it is proven. */
export async function createDraft(
  dockerd: Dockerd,
  order: SwapOrder,
  old: InspectedContainer,
): Promise<void> {
  await refuse(dockerd, old);
  const oldImage = await dockerd.image(old.Image);
  if (oldImage === undefined) {
    throw new EngineError(
      'not-carried',
      'its image is gone from this node: what the operator asked for cannot be told',
    );
  }
  const target = await findTarget(dockerd, order.target, old);
  const spec = carriedSpec(old, oldImage.Config ?? {}, volumesLeftBehind(old, target.imageId));
  const ownLabels = old.Config.Labels ?? {};
  const composed = ownLabels['com.docker.compose.image'] !== undefined;
  await dockerd.create({
    name: `${plainName(old.Name)}.swell-draft`,
    image: target.reference,
    body: createBody(spec),
    // Until it has shown itself, dockerd must not start it again behind our back.
    policy: { Name: 'no', MaximumRetryCount: 0 },
    labels: {
      ...memoLabels({ ...memoOf(order, old, target), ...broughtTo(spec, target) }),
      ...lastGoodLabels(order, old, digestsOf(oldImage)),
      ...(composed && { 'com.docker.compose.image': target.imageId }),
    },
  });
}

/** Nothing was touched yet: now is the time to say no. */
async function refuse(dockerd: Dockerd, old: InspectedContainer): Promise<void> {
  const obstacle = obstacleIn(old);
  if (obstacle !== undefined) throw new EngineError('not-carried', `the container ${obstacle}`);
  const ids = await dockerd.list([]);
  const others = await Promise.all(ids.map(({ id }) => dockerd.container(id)));
  const dependents = dependentsOn(
    old,
    others.filter((other) => other !== undefined),
  );
  if (dependents.length > 0) {
    const names = dependents.map(({ Name }) => plainName(Name)).join(', ');
    throw new EngineError('not-carried', `${names} live in its namespaces, and would lose them`);
  }
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
    ...(order.stopTimeoutMs !== undefined && { stopTimeoutMs: order.stopTimeoutMs }),
  };
}

function broughtTo(spec: Spec, target: Target): Pick<Memo, 'broughtVolumes'> {
  const broughtVolumes = [...freshVolumes(spec, target.config)];
  return broughtVolumes.length === 0 ? {} : { broughtVolumes };
}

function lastGoodLabels(
  order: SwapOrder,
  old: InspectedContainer,
  running: readonly Digest[],
): Record<string, string> {
  if (order.lastGood === 'running') {
    const digest = readMemo(old.Config.Labels ?? {})?.target ?? running[0];
    return {
      [LAST_GOOD_IMAGE_LABEL]: old.Image,
      ...(digest !== undefined && { [LAST_GOOD_DIGEST_LABEL]: digest }),
    };
  }
  if (order.lastGood === 'none') return {};
  const { [LAST_GOOD_IMAGE_LABEL]: id, [LAST_GOOD_DIGEST_LABEL]: digest } = old.Config.Labels ?? {};
  return {
    ...(id !== undefined && { [LAST_GOOD_IMAGE_LABEL]: id }),
    ...(digest !== undefined && { [LAST_GOOD_DIGEST_LABEL]: digest }),
  };
}
