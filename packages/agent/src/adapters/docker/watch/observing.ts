/** What a core is told of a service's containers. */

import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import type { Observation } from '../../../core/container.ts';
import { readOperatorLabels } from '../../../protocol/operator-word.ts';
import type { Dockerd } from '../dockerd.ts';
import { type Labels, lastGoodOf } from '../images/last-good.ts';
import { type InspectedContainer, plainName } from '../inspected.ts';
import { partNamesOf, runningDigests } from '../parts.ts';
import { obstacleIn } from '../spec/obstacles.ts';
import {
  type Found,
  type MemberSwap,
  memberProgress,
  membersLeft,
  memoOf,
  movedAlong,
} from '../swap/members.ts';
import type { Asking } from './asking.ts';
import { asksOf } from './hooks.ts';

/** @param containers those that stand for the service now; of what only one of them tells, the first speaks for all */
export async function observation(
  found: Found,
  containers: readonly InspectedContainer[],
  { dockerd, asking }: { readonly dockerd: Pick<Dockerd, 'image'>; readonly asking: Pick<Asking, 'locked'> },
): Promise<Observation> {
  const labels = containers.map(({ Config }) => Config.Labels ?? {});
  const [first] = labels;
  if (first === undefined) return { state: 'absent', digests: [] };
  const asks = labels.map(asksOf).find((one) => one !== undefined);
  const obstacle = found.kind === 'settled' ? obstacleAmong(containers) : undefined;
  const lastGood = await lastGoodOf(dockerd, labels);
  const word = wordsOf(labels);
  const parts = partNamesOf(containers);
  const locked = movedAlong(found) ?? (await asking.locked(containers));
  const isRunning = containers.some(({ State }) => State.Running && State.Restarting !== true);
  return {
    state: isRunning ? 'running' : 'stopped',
    digests: await runningDigests(dockerd, containers),
    ...(parts !== undefined && { parts }),
    ...(found.kind === 'swap' && { swap: describeSwap(found) }),
    ...(lastGood !== undefined && { lastGood }),
    ...(obstacle !== undefined && { obstacle }),
    ...(word !== undefined && { word }),
    ...(asks !== undefined && { asks }),
    ...(locked !== undefined && { locked }),
  };
}

/** What an operator says of one of them holds for all: they go together. */
function wordsOf(labels: readonly Labels[]): Observation['word'] {
  const words: OperatorWord[] = [];
  for (const read of labels.map(readOperatorLabels)) {
    if (read?.ok === false) return read;
    const further = read?.value.filter((word) => !words.some((one) => sameValue(one, word))) ?? [];
    words.push(...further);
  }
  return words.length === 0 ? undefined : { ok: true, value: words };
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
    ...(memo?.irreversible === true && { irreversible: true }),
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
