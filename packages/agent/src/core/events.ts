/** What a service's core hears. Each comes with the time of a monotonic clock beside it. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import type { FallenSlot, SlotEntry, SlotHolder, SlotView } from '@swell/shared/domain/slot.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import type { Leave, Observation, ProbeOutcome } from './container.ts';
import type { Asked, Timer } from './effects.ts';

/** An order's last value: where it was deleted only its revision is left. */
export interface Told<Order> {
  readonly revision: number;
  readonly order?: Order;
}

export type AgentEvent =
  | { readonly kind: 'observed'; readonly era: number; readonly observation: Observation }
  | { readonly kind: 'not-observed'; readonly era: number; readonly reason: string }
  /** Somebody's hand was on a container of the service. */
  | { readonly kind: 'container-changed' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected' }
  /** Heard on the republished subject, or read from a replica: a hint, which may be late. */
  | { readonly kind: 'wave-heard'; readonly told: Told<Wave> }
  | { readonly kind: 'halt-heard'; readonly told: Told<Halt> }
  /** Read from the leader: the truth when it was asked. Revision 0: there is none. */
  | {
      readonly kind: 'orders-read';
      readonly asked: Asked;
      readonly wave: Told<Wave>;
      readonly halt: Told<Halt>;
      /** Slots that were asked for with them. */
      readonly beyond?: SlotView;
      /** The operator's policy on the node, read just then, and the wall's clock. */
      readonly word: { readonly read: Parsed<readonly OperatorWord[]>; readonly wallMs: number };
    }
  | { readonly kind: 'orders-not-read'; readonly asked: Asked; readonly reason: string }
  | { readonly kind: 'pulse-heard'; readonly term: number; readonly wave: number; readonly halt: number }
  | { readonly kind: 'slot-heard'; readonly slot: number; readonly entry: SlotEntry }
  /** From a replica; where one shows less than was known, and the leader says the same, it has fallen. */
  | {
      readonly kind: 'slots-read';
      readonly entries: SlotView;
      readonly fallen?: ReadonlyMap<number, FallenSlot>;
    }
  | { readonly kind: 'image-staged'; readonly digest: Digest }
  | {
      readonly kind: 'image-not-staged';
      readonly digest: Digest;
      readonly reason: string;
      /** The registry wants to be left alone for so long. */
      readonly retryAfterMs?: number;
      /** Too little of the disk would be left. */
      readonly lacksRoom?: true;
    }
  /** What went, in words; nothing is heard of a look that found nothing. */
  | { readonly kind: 'images-cleaned'; readonly removed: readonly string[] }
  | { readonly kind: 'images-not-cleaned'; readonly reason: string }
  | { readonly kind: 'slot-claimed'; readonly slot: number; readonly revision: number }
  /** The leader says what stands there instead (`entry`; revision 0: nothing ever did), or nobody knows. */
  | { readonly kind: 'slot-not-claimed'; readonly slot: number; readonly entry?: SlotEntry }
  | {
      readonly kind: 'slot-renewed';
      readonly slot: number;
      readonly revision: number;
      readonly sentAtMs: number;
      readonly holder: SlotHolder;
    }
  | { readonly kind: 'slot-not-renewed'; readonly slot: number; readonly lost: boolean }
  | { readonly kind: 'swap-prepared' }
  | {
      readonly kind: 'swap-not-prepared';
      readonly reason: string;
      readonly retryable: boolean;
      /** The image that was staged is not on the node any more. */
      readonly imageIsGone?: true;
      /** The disk is full. */
      readonly lacksRoom?: true;
    }
  | { readonly kind: 'leave-answered'; readonly attempt: string; readonly leave: Leave }
  /** `count` is missing where nobody answered. */
  | { readonly kind: 'in-flight-counted'; readonly count?: number }
  /** It runs beside the old one, or cannot: then the old one has to stop first. */
  | { readonly kind: 'started-beside'; readonly isBeside: boolean }
  /** So many containers of the service still have the old image; missing: none. */
  | { readonly kind: 'swapped'; readonly left?: number }
  /** `isGone`: somebody took a container of the swap away. */
  | {
      readonly kind: 'not-swapped';
      readonly reason: string;
      readonly retryable: boolean;
      readonly isGone?: true;
    }
  /** `why` is there where the application does not agree that it is well. */
  | { readonly kind: 'confirmed'; readonly why?: string }
  | { readonly kind: 'not-confirmed'; readonly reason: string }
  | { readonly kind: 'probed'; readonly attempt: string; readonly outcome: ProbeOutcome }
  /** With what runs now: somebody may have put another container there. */
  | { readonly kind: 'swap-committed'; readonly digests: readonly Digest[] }
  | { readonly kind: 'swap-not-committed'; readonly reason: string }
  | { readonly kind: 'swap-undone' }
  /** `isOneWay`: its new container has been started, and there is no way back from that. */
  | { readonly kind: 'swap-not-undone'; readonly reason: string; readonly isOneWay?: true }
  /** Somebody asked, while that mattered, whether to send anything here, and was told that it leaves, or is back. */
  | { readonly kind: 'rotation-told' }
  | { readonly kind: 'report-stored'; readonly id: string }
  | { readonly kind: 'report-not-stored'; readonly id: string }
  | { readonly kind: 'timer-fired'; readonly timer: Timer }
  | { readonly kind: 'stop-requested' };
