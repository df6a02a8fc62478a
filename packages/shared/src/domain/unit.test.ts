import { describe, expect, it } from 'vitest';
import {
  describeReleaseImage,
  imagesOf,
  misfit,
  type PinnedUnit,
  pinReference,
  releaseReference,
  tagOf,
  unitDigest,
} from './unit.ts';

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;
const WEB = { repository: 'registry.example/web', tag: 'v2' };
const WORKER = { repository: 'registry.example/worker', tag: 'v2' };
const DIGEST = unitDigest({ web: A, worker: B });
const UNIT: PinnedUnit = {
  digest: DIGEST,
  parts: { web: { ...WEB, digest: A }, worker: { ...WORKER, digest: B } },
};

describe("B18: a unit's digest", () => {
  it('is that of its parts, in whatever order they are named', () => {
    // printf 'web=sha256:aaa…\nworker=sha256:bbb…\n' | sha256sum
    expect(DIGEST).toBe('sha256:7ee67169ee770d2787bbfa235e6acda0ceeecfb4dafa71fc7b100fb6d813f277');
    expect(unitDigest({ worker: B, web: A })).toBe(DIGEST);
  });

  it('is another one where an image is, or a part, or where two of them change places', () => {
    const others = [{ web: A, worker: A }, { web: B, worker: A }, { web: A, mail: B }, { web: A }];
    expect(new Set([DIGEST, ...others.map(unitDigest)]).size).toBe(5);
  });
});

describe('what a release brings', () => {
  it('is pinned with the digests that registries gave', () => {
    expect(pinReference(WEB, { digest: A })).toEqual({ ...WEB, digest: A });
    const reference = { parts: { web: WEB, worker: WORKER } };
    expect(pinReference(reference, { digest: DIGEST, parts: { web: A, worker: B } })).toEqual(UNIT);
  });

  it('is all its images, and is described by them', () => {
    expect(imagesOf(UNIT)).toEqual([UNIT.parts['web'], UNIT.parts['worker']]);
    expect(imagesOf({ ...WEB, digest: A })).toEqual([{ ...WEB, digest: A }]);
    expect(describeReleaseImage(UNIT)).toBe(
      'web registry.example/web:v2 (aaaaaaaaaaaa), worker registry.example/worker:v2 (bbbbbbbbbbbb): ' +
        `unit ${DIGEST.slice(7, 19)}`,
    );
    expect(releaseReference(UNIT)).toBe(`web=registry.example/web@${A}, worker=registry.example/worker@${B}`);
  });

  it('has the tag that all its parts have', () => {
    expect(tagOf(WEB)).toBe('v2');
    expect(tagOf(UNIT)).toBe('v2');
    expect(tagOf({ parts: { web: WEB, worker: { ...WORKER, tag: 'v3' } } })).toBeUndefined();
    expect(tagOf({ parts: { web: WEB, worker: { repository: 'worker' } } })).toBeUndefined();
  });
});

describe('a unit fits a node', () => {
  it('that has all its parts, and no others', () => {
    expect(misfit(UNIT, ['web', 'worker'])).toBeUndefined();
    expect(misfit(UNIT, ['web'])).toBe('it has no part worker, which the release brings');
    expect(misfit(UNIT, ['mail', 'web', 'worker'])).toBe('the release brings no image for its part mail');
    expect(misfit(UNIT, undefined)).toContain('the label swell.part');
  });

  it('and a single image fits any', () => {
    expect(misfit({ ...WEB, digest: A }, undefined)).toBeUndefined();
    expect(misfit({ ...WEB, digest: A }, ['web', 'worker'])).toBeUndefined();
  });
});
