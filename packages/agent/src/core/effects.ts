/** What a service's core orders. Each may run twice. */

import type { Probe } from '@swell/shared/domain/health.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { HeldSlot, SlotHolder } from '@swell/shared/domain/slot.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import type { ReleaseImage } from '@swell/shared/domain/unit.ts';
import type { SwapOrder } from './container.ts';

/**
 * - `stage`: download now (downloads are spread), or try again.
 * - `claim`: claim a slot now (claims are spread).
 * - `renew`: a third of the lease is over.
 * - `drain`: long enough without new requests, or ask again for those under way.
 * - `probe`: ask for health again.
 * - `rejoin`: nobody has asked for long enough whether it is back.
 * - `retry`: ask the engine again for the part of a swap that it could not do.
 * - `observe`: look at the engine again, which did not answer.
 * - `resend`: send the oldest report again.
 * - `slots`: read the slots again while waiting for one.
 * - `look`: read again whatever might have been missed.
 */
export type Timer =
  | 'stage'
  | 'claim'
  | 'renew'
  | 'drain'
  | 'probe'
  | 'rejoin'
  | 'retry'
  | 'observe'
  | 'resend'
  | 'slots'
  | 'look';

/** What was known when the orders were asked for, so that the answer can be judged however late it comes. */
export interface Asked {
  /** The newest revisions that had been seen. */
  readonly wave: number;
  readonly halt: number;
  /** They were asked for after this claim (its revision). */
  readonly fence?: number;
}

export type Effect =
  | { readonly kind: 'observe'; readonly era: number }
  | { readonly kind: 'stage-image'; readonly image: ReleaseImage }
  /** What was brought here for the service and nobody needs any more goes; `wanted` stays. */
  | { readonly kind: 'clean-images'; readonly wanted?: readonly Digest[] }
  | {
      readonly kind: 'read-orders';
      readonly asked: Asked;
      /** With them, slots that the wave has not, as they stood once ours had been claimed. */
      readonly beyond?: { readonly ours: HeldSlot; readonly slots: readonly number[] };
    }
  | { readonly kind: 'read-slots' }
  | {
      readonly kind: 'claim-slot';
      readonly slot: number;
      readonly expect: number;
      readonly holder: SlotHolder;
    }
  | {
      readonly kind: 'renew-slot';
      readonly slot: number;
      readonly expect: number;
      readonly holder: SlotHolder;
    }
  | {
      readonly kind: 'free-slot';
      readonly slot: number;
      readonly expect: number;
      readonly holder: SlotHolder;
    }
  | { readonly kind: 'prepare-swap'; readonly order: SwapOrder }
  | { readonly kind: 'ask-leave'; readonly attempt: string }
  | { readonly kind: 'count-in-flight'; readonly inFlight: InFlight }
  /** The new container starts beside the old one; of several, the next one's. */
  | { readonly kind: 'start-beside' }
  /** One container of the service goes over, and more, until at most `left` have the old image; missing: one. */
  | { readonly kind: 'cut-over'; readonly left?: number }
  | { readonly kind: 'confirm' }
  | { readonly kind: 'commit-swap' }
  | { readonly kind: 'undo-swap' }
  | {
      readonly kind: 'probe';
      readonly attempt: string;
      readonly probe: Probe;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'send-report'; readonly report: NodeReport }
  /** Fires once, after a time drawn between the two bounds; replaces the timer of its name. */
  | { readonly kind: 'set-timer'; readonly timer: Timer; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'clear-timer'; readonly timer: Timer };

export function timer(name: Timer, minMs: number, maxMs = minMs): Effect {
  return { kind: 'set-timer', timer: name, minMs, maxMs };
}
