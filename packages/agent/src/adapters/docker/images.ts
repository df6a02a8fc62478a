/**
 * Bringing images to the node. An image is pulled by digest and known by the digest that the registry gave it (I11).
 */

import {
  type Digest,
  type PinnedImage,
  parseImageReference,
  pullReference,
} from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { EngineError, type EngineErrorCode } from '../engine.ts';
import { type Dockerd, engineErrorOf, statusOf } from './dockerd.ts';
import type { InspectedImage } from './inspected.ts';
import type { RegistryAuthSource } from './registry-auth.ts';

/** Every digest under which a registry gave this image. */
export function digestsOf(image: InspectedImage): readonly Digest[] {
  const digests = (image.RepoDigests ?? []).map((reference) => parseImageReference(reference)?.digest);
  return [...new Set(digests.filter((digest) => digest !== undefined))];
}

/** Has the image come from this repository under this digest? Docker writes its own registry's names short. */
export function isPinned(image: InspectedImage, pinned: PinnedImage): boolean {
  return (image.RepoDigests ?? []).some((text) => {
    const reference = parseImageReference(text);
    return reference?.repository === pinned.repository && reference.digest === pinned.digest;
  });
}

/** Where a service's image is known by a tag, the repository and the tag: only that can be moved to another image. */
export function movableReference(
  reference: string,
): { readonly repository: string; readonly tag: string } | undefined {
  // An image's id is no name, and neither are its first digits; the name of a repository can look like either.
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(reference)) return undefined;
  const parsed = parseImageReference(reference);
  if (parsed === undefined || parsed.digest !== undefined) return undefined;
  return { repository: parsed.repository, tag: parsed.tag ?? 'latest' };
}

/** The image as it lies on the node; `undefined` where it does not, or is not what it says. */
export async function stagedImage(
  dockerd: Dockerd,
  pinned: PinnedImage,
): Promise<InspectedImage | undefined> {
  const image = await dockerd.image(pullReference(pinned));
  return image !== undefined && isPinned(image, pinned) ? image : undefined;
}

/** Pulls an image by digest, unless it is there, and looks whether it is what was asked for. */
export async function stageImage(
  docker: Docker,
  dockerd: Dockerd,
  auth: RegistryAuthSource,
  pinned: PinnedImage,
  signal: AbortSignal,
): Promise<void> {
  if ((await stagedImage(dockerd, pinned)) !== undefined) return;
  const reference = pullReference(pinned);
  const authconfig = await auth(pinned.repository.slice(0, pinned.repository.indexOf('/')));
  try {
    const progress = await docker.createImage(authconfig, { fromImage: reference, abortSignal: signal });
    await untilPulled(docker, progress, signal);
  } catch (error) {
    if (signal.aborted) throw new EngineError('pull-failed', 'the pull was given up', { cause: error });
    throw engineErrorOf(error, pullErrorCode(error), `could not pull ${reference}`);
  }
  const image = await dockerd.image(reference);
  if (image === undefined)
    throw new EngineError('image-missing', `${reference} was pulled, and is not there`);
  if (!isPinned(image, pinned)) {
    throw new EngineError(
      'digest-mismatch',
      `${reference} became ${(image.RepoDigests ?? []).join(', ') || image.Id}`,
    );
  }
}

/** dockerd says how a pull goes in its body, its failure included, long after it said 200. */
function untilPulled(docker: Docker, progress: NodeJS.ReadableStream, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abandon = () =>
    reject(new EngineError('pull-failed', 'the pull was given up', { cause: signal.reason }));
  if (signal.aborted) abandon();
  signal.addEventListener('abort', abandon, { once: true });
  docker.modem.followProgress(
    progress,
    (error: Error | null) => (error === null ? resolve() : reject(pullError(error.message))),
    ({ error }: { readonly error?: unknown }) => {
      if (typeof error === 'string') reject(pullError(error));
    },
  );
  return promise.finally(() => signal.removeEventListener('abort', abandon));
}

function pullError(message: string): EngineError {
  return new EngineError(refusalIn(message), `could not pull: ${message}`);
}

function pullErrorCode(error: unknown): EngineErrorCode {
  if (statusOf(error) === 404) return 'image-missing';
  return refusalIn(error instanceof Error ? error.message : String(error));
}

/** dockerd has no codes for these, only words. */
function refusalIn(message: string): EngineErrorCode {
  if (/digest|verification failed/i.test(message) && /mismatch|does not match|failed/i.test(message)) {
    return 'digest-mismatch';
  }
  const missing = /not found|manifest unknown|name unknown|no matching manifest|does not exist/i;
  const refused = /unauthorized|authentication required|access denied|denied|no basic auth credentials/i;
  return missing.test(message) || refused.test(message) ? 'image-missing' : 'pull-failed';
}
