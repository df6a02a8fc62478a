/**
 * Bringing images to the node: by digest (I11), for the platform of the image that runs, as whoever Docker's configuration says
 * we are just then, and leaving of the disk what is reserved. dockerd has no codes for what can go wrong, only words.
 */

import type { Readable } from 'node:stream';
import { type PinnedImage, pullReference } from '@swell/shared/domain/image.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import type Docker from 'dockerode';
import { EngineError, type EngineErrorCode } from '../../engine.ts';
import { type Dockerd, engineErrorOf, statusOf } from '../dockerd.ts';
import type { InspectedImage } from '../inspected.ts';
import { adopt, announce, type Holding, namesOf, sign } from './brought.ts';
import { isPinned, stagedImage } from './images.ts';
import { isFor, platformOf, spellPlatform } from './platform.ts';
import { pullLines } from './pull-progress.ts';
import type { RegistryAuth, RegistryAuthSource } from './registry-auth.ts';
import type { RetryAfterSource } from './retry-after.ts';
import type { Room } from './room.ts';

/** Where a registry has had enough of us, and does not say for how long. */
const LEFT_ALONE_MS = 300_000;
/** A layer may have to wait for those of somebody else's pull; a registry that has fallen silent never says so. */
const SILENCE_MAX_MS = 900_000;
const SILENT = `dockerd has told nothing of it for ${formatDuration(SILENCE_MAX_MS)}`;

export interface Supply {
  readonly docker: Docker;
  readonly dockerd: Dockerd;
  readonly auth: RegistryAuthSource;
  readonly retryAfter: RetryAfterSource;
  /** What there is of the disk just now; `undefined` where nobody can tell. */
  readonly room: () => Promise<Room | undefined>;
}

/** For whom an image is brought, and the image that runs there. */
export interface Recipient {
  readonly holding: Holding;
  readonly running: InspectedImage | undefined;
}

/** Pulls an image, unless it is there, and looks whether it is what was asked for. */
export async function stageImage(
  supply: Supply,
  pinned: PinnedImage,
  recipient: Recipient | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { dockerd } = supply;
  const wanted = recipient?.running && platformOf(recipient.running);
  const there = await stagedImage(dockerd, pinned);
  if (there !== undefined && (isFor(there, wanted) || isBrought(there, recipient))) {
    if (recipient !== undefined) await adopt(recipient.holding, pinned, there);
    return;
  }
  if (recipient !== undefined) await announce(recipient.holding, pinned, recipient.running?.Id);
  const platform = wanted === undefined ? {} : { platform: spellPlatform(wanted) };
  const options = { fromImage: pullReference(pinned), ...platform };
  await pullAsWeAre(supply, pinned, options, signal).catch((error: unknown) => {
    throw isTaken(error) && there !== undefined ? otherPlatform(options, there) : error;
  });
  const image = await expectPulled(dockerd, pinned);
  // What was there before is the operator's, were it for another platform.
  if (recipient !== undefined && there?.Id !== image.Id) await sign(recipient.holding, pinned, image.Id);
}

/** What was brought for this service is for its platform, or for the only one that the release is for. */
function isBrought(there: InspectedImage, recipient: Recipient | undefined): boolean {
  return recipient !== undefined && namesOf(there, recipient.holding.place).isBrought;
}

/** A dockerd whose store has one image for each digest keeps the one that it has. */
function isTaken(error: unknown): boolean {
  return error instanceof EngineError && /cannot overwrite digest/i.test(error.message);
}

function otherPlatform({ fromImage, platform }: PullOptions, there: InspectedImage): EngineError {
  const found = platformOf(there);
  const known = found === undefined ? 'another platform' : spellPlatform(found);
  return new EngineError(
    'pull-failed',
    `${fromImage} is here for ${known}, and what runs is ${platform}: dockerd has room for one of them under that digest`,
  );
}

async function expectPulled(dockerd: Dockerd, pinned: PinnedImage): Promise<InspectedImage> {
  const reference = pullReference(pinned);
  const image = await dockerd.image(reference);
  if (image === undefined)
    throw new EngineError('image-missing', `${reference} was pulled, and is not there`);
  if (isPinned(image, pinned)) return image;
  const found = (image.RepoDigests ?? []).join(', ') || image.Id;
  throw new EngineError('digest-mismatch', `${reference} became ${found}`);
}

interface PullOptions {
  readonly fromImage: string;
  readonly platform?: string;
}

/** What was refused may only have expired: whoever we are by now tries once more. */
async function pullAsWeAre(
  supply: Supply,
  pinned: PinnedImage,
  options: PullOptions,
  signal: AbortSignal,
): Promise<void> {
  const first = await supply.auth(pinned.repository);
  try {
    await pull(supply, pinned, options, first, signal);
  } catch (error) {
    if (!(error instanceof EngineError) || !isRefusal(error.message)) throw error;
    const second = await supply.auth(pinned.repository);
    if (sameValue(first, second)) throw error;
    await pull(supply, pinned, options, second, signal);
  }
}

async function pull(
  { docker, room, retryAfter }: Supply,
  pinned: PinnedImage,
  options: PullOptions,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): Promise<void> {
  const space = await room();
  if (space?.shortage !== undefined) throw noRoom(options, space.shortage);
  const given = new AbortController();
  const silence = setTimeout(() => given.abort(new Error(SILENT)), SILENCE_MAX_MS);
  const abortSignal = AbortSignal.any([signal, given.signal]);
  try {
    const body = (await docker.createImage(auth, { ...options, abortSignal })) as Readable;
    for await (const { error, ...told } of pullLines(body, abortSignal)) {
      silence.refresh();
      // dockerd says how a pull goes in its body, its failure included, long after it said 200.
      if (typeof error === 'string') throw pullError(error);
      space?.tell(told);
      if (space?.shortage !== undefined) throw noRoom(options, space.shortage);
    }
  } catch (error) {
    const isSilent = given.signal.aborted;
    // dockerd gives up with us, and takes away what it has begun.
    given.abort();
    if (signal.aborted) throw new EngineError('pull-failed', 'the pull was given up', { cause: error });
    if (isSilent)
      throw new EngineError('pull-failed', `could not pull ${options.fromImage}: ${SILENT}`, {
        cause: error,
      });
    const failed = engineErrorOf(error, pullErrorCode(error), `could not pull ${options.fromImage}`);
    if (!isTooOften(failed.message)) throw failed;
    const retryAfterMs = (await retryAfter(pinned, signal)) ?? LEFT_ALONE_MS;
    throw new EngineError('pull-failed', failed.message, { cause: error, retryAfterMs });
  } finally {
    clearTimeout(silence);
  }
}

function noRoom({ fromImage }: PullOptions, shortage: string): EngineError {
  return new EngineError('no-room', `no room for ${fromImage}: ${shortage}`);
}

function pullError(message: string): EngineError {
  return new EngineError(codeIn(message), `could not pull: ${message}`);
}

function pullErrorCode(error: unknown): EngineErrorCode {
  if (statusOf(error) === 404) return 'image-missing';
  return codeIn(error instanceof Error ? error.message : String(error));
}

/** @public for its test */
export function codeIn(message: string): EngineErrorCode {
  if (isTooOften(message)) return 'pull-failed';
  if (/digest|verification failed/i.test(message) && /mismatch|does not match|failed/i.test(message)) {
    return 'digest-mismatch';
  }
  const missing = /not found|manifest unknown|name unknown|no matching manifest|does not exist/i;
  return missing.test(message) || isRefusal(message) ? 'image-missing' : 'pull-failed';
}

function isRefusal(message: string): boolean {
  return /unauthorized|authentication required|access denied|denied|no basic auth credentials/i.test(message);
}

/** A registry's own code, or what is left of its answer where it is no document. */
function isTooOften(message: string): boolean {
  return /toomanyrequests|too many requests|rate limit|\b(?:HTTP|status:?) 429\b/i.test(message);
}
