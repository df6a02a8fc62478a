/** What a conformance case can do with a container engine, whichever it is: the model in virtual time, or a real dockerd. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type { Engine } from '../../packages/agent/src/adapters/engine.ts';
import { EngineError } from '../../packages/agent/src/adapters/engine.ts';
import type { Observation, SwapOrder } from '../../packages/agent/src/core/container.ts';

export const SERVICE = 'web';
const LOOK_EVERY_MS = 50;
export const ATTEMPT = '7.update.1';
export const HTTP = { kind: 'http', port: 8080, path: '/health' } as const;

/**
 * Images of the service, by how they behave.
 *
 * - `v1`, `v2`: well; `v1` has a HEALTHCHECK of Docker's. `sick`: runs, and its `/health` is 404. `hangs`: takes connections, and never answers.
 * - `ends`: ends as soon as it was started. `cannotStart`: cannot be started at all.
 * - `missing`: in no registry.
 */
export type Images = Readonly<
  Record<'v1' | 'v2' | 'sick' | 'hangs' | 'ends' | 'cannotStart' | 'missing', PinnedImage>
>;

/** One of the two containers that a swap has: the one that stands for the service, or the one beside it. */
export type Which = 'present' | 'other';

export interface EngineWorld extends AsyncDisposable {
  readonly images: Images;
  /** Another engine on the same machine, as an agent has after its start; it goes with the world. */
  engine(): Engine;
  /** Takes away whatever there is, and starts the service with this image; the registry answers. */
  run(image: PinnedImage): Promise<void>;
  /** Nobody has the image here any more. */
  forget(image: PinnedImage): Promise<void>;
  /** What the registry does from now on; `lying` sends another image than the one that is asked for. */
  registry(does: 'answer' | 'lie' | 'nothing'): Promise<void>;
  /** By somebody's hand. */
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(which: Which): Promise<void>;
  /** The service's program ends by itself. */
  die(): Promise<void>;
  /** Another service appears, for as long as the case lasts. */
  runOther(service: string): Promise<void>;
  /** The containers of the service that there really are: what each runs, and whether it does. */
  containers(): Promise<readonly Container[]>;
  /** Lets so much of its time pass. */
  pass(ms: number): Promise<void>;
}

export interface Container {
  readonly digest: string;
  readonly up: boolean;
}

export function orderOf(image: PinnedImage, more: Partial<SwapOrder> = {}): SwapOrder {
  return {
    service: SERVICE,
    attempt: ATTEMPT,
    target: { kind: 'release', image },
    lastGood: 'running',
    ...more,
  };
}

export const TO_LAST_GOOD = { target: { kind: 'last-good' }, lastGood: 'unchanged' } as const;

export async function stage(engine: Engine, image: PinnedImage): Promise<void> {
  await engine.stageImage(image, AbortSignal.timeout(60_000));
}

/** How far a case goes before it begins. */
export async function prepared(engine: Engine, image: PinnedImage): Promise<void> {
  await stage(engine, image);
  await engine.prepareSwap(orderOf(image));
}

export async function cutOver(engine: Engine, image: PinnedImage): Promise<void> {
  await prepared(engine, image);
  await engine.cutOver(SERVICE);
}

export async function committed(engine: Engine, image: PinnedImage): Promise<void> {
  await cutOver(engine, image);
  await engine.commitSwap(SERVICE);
}

/** What an engine shows of a swap to this image. */
export function swapTo(
  image: PinnedImage,
  progress: NonNullable<Observation['swap']>['progress'],
): Pick<Observation, 'swap'> {
  return { swap: { progress, attempt: ATTEMPT, target: image.digest } };
}

export const running = (image: PinnedImage) => ({ state: 'running', digests: [image.digest] }) as const;
export const stopped = (image: PinnedImage) => ({ state: 'stopped', digests: [image.digest] }) as const;
export const lastGood = (image: PinnedImage) => ({ lastGood: { digest: image.digest } }) as const;

/** How a call failed, in the engine's word for it. */
export function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'no failure',
    (error: unknown) => (error instanceof EngineError ? error.code : error),
  );
}

/** Looks again until it is so, and returns what it was. */
export async function eventually<Value>(
  world: EngineWorld,
  look: () => Promise<Value>,
  isSo: (value: Value) => boolean,
  patienceMs = 60_000,
): Promise<Value> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    const value = await look();
    if (isSo(value)) return value;
    if (waitedMs > patienceMs) throw new Error(`it never became so: ${JSON.stringify(value)}`);
    await world.pass(LOOK_EVERY_MS);
  }
}
