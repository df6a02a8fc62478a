/** What a core is told of a service's containers. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { Observation } from '../../core/container.ts';
import { readOperatorLabels } from '../../protocol/operator-word.ts';
import type { Asking } from './asking.ts';
import type { Dockerd } from './dockerd.ts';
import { asksOf } from './hooks.ts';
import { digestsOf } from './images.ts';
import { type InspectedContainer, plainName } from './inspected.ts';
import { type Found, type MemberSwap, memberProgress, membersLeft, memoOf, movedAlong } from './members.ts';
import { LAST_GOOD_DIGEST_LABEL, LAST_GOOD_IMAGE_LABEL } from './memo.ts';
import { obstacleIn } from './obstacles.ts';

/** @param containers those that stand for the service now; of what only one of them tells, the first speaks for all */
export async function observation(
  found: Found,
  containers: readonly InspectedContainer[],
  { dockerd, asking }: { readonly dockerd: Dockerd; readonly asking: Asking },
): Promise<Observation> {
  const labels = containers.map(({ Config }) => Config.Labels ?? {});
  const [first] = labels;
  if (first === undefined) return { state: 'absent', digests: [] };
  const asks = labels.map(asksOf).find((one) => one !== undefined);
  const obstacle = found.kind === 'settled' ? obstacleAmong(containers) : undefined;
  const lastGood = await lastGoodOf(dockerd, labels);
  const word = readOperatorLabels(first);
  const locked = movedAlong(found) ?? (await asking.locked(containers));
  const isRunning = containers.some(({ State }) => State.Running && State.Restarting !== true);
  return {
    state: isRunning ? 'running' : 'stopped',
    digests: await commonDigests(dockerd, containers),
    ...(found.kind === 'swap' && { swap: describeSwap(found) }),
    ...(lastGood !== undefined && { lastGood }),
    ...(obstacle !== undefined && { obstacle }),
    ...(word !== undefined && { word }),
    ...(asks !== undefined && { asks }),
    ...(locked !== undefined && { locked }),
  };
}

async function lastGoodOf(
  dockerd: Dockerd,
  labels: readonly Readonly<Record<string, string>>[],
): Promise<Observation['lastGood']> {
  for (const { [LAST_GOOD_IMAGE_LABEL]: id, [LAST_GOOD_DIGEST_LABEL]: digest } of labels) {
    if (id === undefined || (await dockerd.image(id)) === undefined) continue;
    return digest === undefined ? {} : { digest };
  }
  return undefined;
}

async function commonDigests(
  dockerd: Dockerd,
  containers: readonly InspectedContainer[],
): Promise<readonly Digest[]> {
  const ids = [...new Set(containers.map(({ Image }) => Image))];
  const images = await Promise.all(ids.map((id) => dockerd.image(id)));
  const [digests = [], ...others] = images.map((image) => (image === undefined ? [] : digestsOf(image)));
  return digests.filter((digest) => others.every((other) => other.includes(digest)));
}

function describeSwap(found: MemberSwap): NonNullable<Observation['swap']> {
  const memo = memoOf(found);
  const progress = memberProgress(found);
  const left = progress === 'cut-over' ? membersLeft(found).length : 0;
  return {
    progress,
    attempt: memo?.attempt ?? 'unknown',
    ...(memo?.target !== undefined && { target: memo.target }),
    ...(left > 0 && { left }),
  };
}

function obstacleAmong(containers: readonly InspectedContainer[]): string | undefined {
  const isOne = containers.length === 1;
  const obstacles = containers.flatMap((container) => {
    const obstacle = obstacleIn(container);
    return obstacle === undefined ? [] : [isOne ? obstacle : `${plainName(container.Name)} ${obstacle}`];
  });
  return obstacles[0];
}
