/** What a core knows of a service's container, and what it may ask to be done with it. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import type { PartName, ReleaseImage } from '@swell/shared/domain/unit.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';

/** How far a swap has come, read from the marks alone. */
export type SwapProgress =
  /** The new container exists; the old one still serves (or must serve again). */
  | 'prepared'
  /** The new container has the name and was started, or of several the first; the old one is kept to go back to. */
  | 'cut-over'
  /** Past the commit point: only finishing is left. */
  | 'committed';

export interface Observation {
  /** What the service's container runs; `absent`: no container bears the service's label. */
  readonly state: 'running' | 'stopped' | 'absent';
  /**
   * Every digest that a registry gave the running image; empty where it was built on the node, or several run. Where there are
   * several parts, also the digest of a unit that has just these images.
   */
  readonly digests: readonly Digest[];
  /**
   * An unfinished swap, with the attempt that began it and the digest that it goes to (missing: a local image). Once it is
   * cut over, so many containers of the service still have the old image; missing: none.
   */
  readonly swap?: {
    readonly progress: SwapProgress;
    readonly attempt: string;
    readonly target?: Digest;
    readonly left?: number;
    /** Once it is cut over it is not undone. */
    readonly irreversible?: true;
  };
  /** The image to go back to, if this engine has kept one. */
  readonly lastGood?: { readonly digest?: Digest };
  /** The parts of a stack that its containers are, in order; missing: one of them is none. */
  readonly parts?: readonly PartName[];
  /** Why this service cannot be updated as it stands (several containers, Swarm task, `--rm` …). */
  readonly obstacle?: string;
  /** What the operator says by labels on the container. */
  readonly word?: Parsed<readonly OperatorWord[]>;
  /** Has its application something to say before its container stops, and once the new one is well? */
  readonly asks?: { readonly before?: true; readonly after?: true };
  /** The application holds its update lock; in words. */
  readonly locked?: string;
}

/** What an application answers when it is asked whether its container may stop. */
export type Leave =
  | { readonly is: 'given' }
  /** Not now. */
  | { readonly is: 'deferred'; readonly why: string }
  /** Not for this release. */
  | { readonly is: 'vetoed'; readonly why: string };

export interface SwapOrder {
  readonly service: ServiceName;
  readonly attempt: string;
  readonly target:
    | { readonly kind: 'release'; readonly image: ReleaseImage }
    | { readonly kind: 'last-good' };
  /**
   * What is the last good image once this swap is committed: the one that runs now; where that was halted, the one that was
   * it before; and none, where that is the same.
   */
  readonly lastGood: 'running' | 'unchanged' | 'none';
  /** Once its new container has been started, this swap is not undone. */
  readonly irreversible?: true;
  /** Between the stop signal and the kill; the container's own where it is missing. */
  readonly stopTimeoutMs?: number;
}

export interface ProbeOutcome {
  readonly healthy: boolean;
  /** What was seen, for people: `HTTP 500 from 172.17.0.3:8080/health`. */
  readonly seen: string;
  /** The engine did not answer, so the container was not asked: no word on the image. */
  readonly unasked?: boolean;
  /** The container has ended, and nothing will start it again: waiting is of no use. */
  readonly ended?: boolean;
  /** It has ended, and the old one runs again: dockerd was restarted, and went back by itself. No word on the image. */
  readonly wentBack?: boolean;
  /** Somebody has taken the new container away. No word on the image. */
  readonly gone?: boolean;
}
