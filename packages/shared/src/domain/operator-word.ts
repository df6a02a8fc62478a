/**
 * What a node's operator says of a service, in the policy file on the node or by labels on its container. It wins over
 * every message (I12): whatever the fleet wants, nothing is done here that it speaks against.
 */

import { imagesOf, type ReleaseImage } from './unit.ts';
import { compareVersions } from './version.ts';
import { isAnyOpen, type TimeWindow } from './window.ts';

export interface OperatorWord {
  /** The service is none of ours. */
  readonly optOut?: boolean;
  /** Nothing is changed. */
  readonly freeze?: boolean;
  /** `true`: it stays on what it runs. A version or a digest: it follows that release and no other. */
  readonly pin?: true | string;
  /** Images come from these alone; `*` at the end stands for anything. */
  readonly repositories?: readonly string[];
  /** Nothing older than this. */
  readonly minimumVersion?: string;
  /** Containers are stopped and started in these alone. */
  readonly windows?: readonly TimeWindow[];
}

export interface Wanted {
  readonly image: ReleaseImage;
  readonly version: string;
}

/** Against having this release here at all; undefined: nothing is. */
export function againstRelease(word: OperatorWord, { image, version }: Wanted): string | undefined {
  const standing = againstChange(word);
  if (standing !== undefined) return standing;
  const { pin, repositories, minimumVersion } = word;
  if (typeof pin === 'string' && pin !== version && pin !== image.digest)
    return `its operator has pinned it to ${pin}`;
  const strange = imagesOf(image).find(({ repository }) => !isAllowed(repositories, repository));
  if (strange !== undefined) return `its operator does not allow images from ${strange.repository}`;
  if (minimumVersion === undefined) return undefined;
  const order = compareVersions(version, minimumVersion);
  if (order === undefined)
    return `its operator wants ${minimumVersion} or newer, and whether ${version} is cannot be told`;
  return order < 0 ? `its operator wants ${minimumVersion} or newer` : undefined;
}

/** Against any change, also on the way back after a halt. */
export function againstChange({ optOut, freeze, pin }: OperatorWord): string | undefined {
  if (optOut === true) return 'its operator has opted out';
  if (freeze === true) return 'its operator has frozen it';
  return pin === true ? 'its operator has pinned it to what it runs' : undefined;
}

/** Against stopping a container now. @param atMs ms since 1970 by the node's own clock */
export function againstNow({ windows = [] }: OperatorWord, atMs: number): string | undefined {
  if (isAnyOpen(windows, atMs)) return undefined;
  return `its operator's window is closed (${windows.map(({ text }) => text).join('; ')})`;
}

function isAllowed(patterns: readonly string[] | undefined, repository: string): boolean {
  return patterns === undefined || patterns.some((one) => covers(one, repository));
}

function covers(pattern: string, repository: string): boolean {
  return pattern.endsWith('*') ? repository.startsWith(pattern.slice(0, -1)) : pattern === repository;
}
