/** Services whose containers are the parts of a stack: what they begin with, and what a release brings to each. */

import type { MemoryContainer } from '@swell/agent/adapters/memory-engine.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import { type ByPart, type PartName, unitDigest } from '@swell/shared/domain/unit.ts';

export const PARTS: readonly PartName[] = ['api', 'worker'];

/** As somebody brought it up by hand: all parts with the same image. They go over one after the other. */
export function stackOf(digest: Digest, parts: readonly PartName[] = PARTS): MemoryContainer {
  const unit = unitDigest(allOf(digest, parts));
  return { up: true, digest: unit, parts, ...(parts.length > 1 && { replicas: parts.length }) };
}

export function allOf<Value>(value: Value, parts: readonly PartName[] = PARTS): ByPart<Value> {
  return Object.fromEntries(parts.map((part) => [part, value]));
}

/** The tags of the next release: a new one for every part, or for one of them by turns. */
export function nextTags(before: ByPart<string>, tag: string, turn: number): ByPart<string> {
  const changed = [PARTS, PARTS.slice(0, 1), PARTS.slice(1)][turn % 3] ?? PARTS;
  return { ...before, ...Object.fromEntries(changed.map((part) => [part, tag])) };
}
