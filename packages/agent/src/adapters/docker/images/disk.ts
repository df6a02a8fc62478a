/**
 * How much of the disk is free where dockerd keeps its images, as far as an agent can see it:
 *
 * - where dockerd's data root is visible at its own path: there. That it is this dockerd's, and not another one's, a container's
 *   folder in it tells.
 * - in a container of this dockerd: at the root of its own file system. That is an overlay whose upper layer lies in the data
 *   root, and an overlay tells of the disk that its upper layer is on.
 * - elsewhere (a dockerd on another machine, a strange storage driver) nobody knows.
 */

import { readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { containerIdIn } from '../../own-process.ts';
import type { Dockerd } from '../dockerd.ts';
import type { Disk } from './room.ts';

export interface Machine {
  readonly isThere: (path: string) => Promise<boolean>;
  readonly measure: (path: string) => Promise<Disk | undefined>;
  /** What is mounted where, as this process sees it. */
  readonly mounts: () => Promise<string>;
}

const MACHINE: Machine = {
  isThere: (path) =>
    stat(path).then(
      () => true,
      () => false,
    ),
  measure: (path) =>
    statfs(path).then(
      ({ bavail, blocks, bsize }) => ({ freeBytes: bavail * bsize, totalBytes: blocks * bsize }),
      () => undefined,
    ),
  mounts: () => readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
};

/** `undefined`: nobody knows. */
export async function diskOfImages(
  dockerd: Pick<Dockerd, 'list' | 'container' | 'dataRoot'>,
  machine: Machine = MACHINE,
): Promise<Disk | undefined> {
  const root = await dockerd.dataRoot();
  const [container] = await dockerd.list([]);
  if (root === undefined || container === undefined) return undefined;
  if (await machine.isThere(join(root, 'containers', container.id))) return machine.measure(root);
  const mounts = await machine.mounts();
  const own = containerIdIn(mounts);
  const isOurs = own !== undefined && (await dockerd.container(own)) !== undefined;
  return isOurs && isOverlay(mounts) ? machine.measure('/') : undefined;
}

/** Is the root of this process's file system an overlay? */
export function isOverlay(mounts: string): boolean {
  return /^\d+ \d+ \S+ \S+ \/ .* - overlay /m.test(mounts);
}
