/**
 * What an agent knows of one service on its node. `journal` is saved before any effect runs; of the containers Docker
 * itself is the journal; everything else is read again after a start. Times are ms of a monotonic clock.
 */

import type { HealthCheck } from '@swell/shared/domain/health.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import type { NodeReport, NodeStatus, Result } from '@swell/shared/domain/report.ts';
import type { SlotView } from '@swell/shared/domain/slot.ts';
import type { Drain, Rejoin } from '@swell/shared/domain/traffic.ts';
import type { Halt, Release, Standing, Wave } from '@swell/shared/domain/wave.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import type { Observation, SwapOrder } from './container.ts';

/** Who this is. */
export interface Self {
  readonly region: Region;
  readonly node: NodeId;
  readonly service: ServiceName;
  /** Of the node, by its operator. */
  readonly labels?: readonly string[];
}

/** One try at bringing the service's container to another image. */
export interface Attempt {
  /** `<rollout>.<kind>.<mark><count>`: stands on the container, in the slot and in every report. */
  readonly id: string;
  readonly kind: 'update' | 'return';
  readonly rollout: number;
  /** Of an update: where it goes. Of a return: what it leaves. Missing where only the container's marks tell of it. */
  readonly digest?: Digest;
  /** After which word to try again it was begun; missing: none. */
  readonly retry?: number;
  readonly health: HealthCheck;
  readonly leaseMs: number;
  readonly stopTimeoutMs?: number;
  /** The new container starts before the old one stops; the node stays in rotation. */
  readonly surges?: true;
  readonly drain: Drain;
  readonly rejoin: Rejoin;
  /** Once its container has been started there is no way back. */
  readonly irreversible?: true;
  /** There is no way back, and it is not well: why, as it was told. */
  readonly unhealthy?: string;
  /** It is being given up, and this is what will be reported. */
  readonly ending?: Ending;
  /** It has been told that its end does not come about. */
  readonly stuck?: true;
}

export interface Ending {
  readonly result: Result;
  /** Empty where there is nothing to explain. */
  readonly reason: string;
  /** It would end like this every time: this rollout is not tried again. */
  readonly final?: true;
  /** Somebody on this node wants it later: it is tried again, however often. */
  readonly deferred?: true;
  /** The new container stays, though it is not well: there is no way back from it. */
  readonly stays?: true;
}

/** Attempts of one kind at one rollout. */
export interface Tries {
  readonly begun: number;
  /** Cut off since the last one that ended for good. */
  readonly interrupted: number;
  /** How the last one that was not cut off ended. */
  readonly ended?: Result;
  /** After which word to try again that one was begun; missing: none. */
  readonly retry?: number;
}

export interface Tried {
  readonly rollout: number;
  readonly update: Tries;
  readonly return: Tries;
}

export interface Journal {
  /** Drawn at every start: whoever finds no journal, or an older one, gives no attempt and no report a name of old (I8). */
  readonly mark: string;
  /** I6. No order of a lower revision is obeyed, also after a restart. */
  readonly highest: { readonly wave: number; readonly halt: number };
  /** Begun, and not yet reported on (I8). */
  readonly attempt?: Attempt;
  /** The last release without a way back that has come to this node; `unhealthy`: and was given up there. */
  readonly irreversible?: {
    readonly rollout: number;
    readonly digest: Digest;
    readonly unhealthy?: true;
  };
  /** What was tried of the last rollouts, the newest one last. */
  readonly tried: readonly Tried[];
  /** The highest count in the names of attempts at rollouts before those: a name that was given is not given again. */
  readonly forgotten?: number;
  /** The last thing said, so that it is not said twice. */
  readonly said?: { readonly rollout: number; readonly status: NodeStatus; readonly reason?: string };
  /** Reports without an acknowledgement yet, oldest first. */
  readonly outbox: readonly NodeReport[];
  /** Reports made so far, for their ids. */
  readonly reports: number;
}

export const EMPTY_JOURNAL: Journal = {
  mark: '',
  highest: { wave: 0, halt: 0 },
  tried: [],
  outbox: [],
  reports: 0,
};

/** A slot that is ours as far as we know. Nothing new begins with it after `untilMs`. */
export interface Lease {
  readonly slot: number;
  /** The fencing token of the next write (B4). */
  readonly revision: number;
  readonly untilMs: number;
}

/** What a node wants a slot for. */
export type Goal =
  | { readonly kind: 'update'; readonly release: Release; readonly wave: Standing<Wave> }
  | { readonly kind: 'return'; readonly halt: Halt; readonly wave: Standing<Wave> };

export type Phase =
  | { readonly name: 'idle' }
  | {
      readonly name: 'staging';
      readonly release: Release;
      /** Its turn has come: it does not wait for its place in the downloads. */
      readonly soon: boolean;
      readonly isPulling: boolean;
      readonly tries: number;
    }
  | { readonly name: 'staged' }
  /** Nothing is claimed by what was known of the slots before: they are read first. */
  | { readonly name: 'queued'; readonly slotsAreRead: boolean; readonly claimIsTimed: boolean }
  | { readonly name: 'claiming'; readonly attempt: Attempt; readonly slot: number; readonly sentAtMs: number }
  | {
      readonly name: 'checking';
      readonly attempt: Attempt;
      readonly lease: Lease;
      /** The claim's revision: the orders that were asked for after it carry it. */
      readonly fence: number;
    }
  /** From here on the attempt stands in the journal; the lease is missing once it was lost. */
  | {
      readonly name: 'preparing';
      readonly attempt: Attempt;
      readonly order: SwapOrder;
      readonly lease?: Lease;
    }
  /** The application is asked whether its container may stop. */
  | { readonly name: 'asking'; readonly attempt: Attempt; readonly lease?: Lease }
  | {
      readonly name: 'draining';
      readonly attempt: Attempt;
      readonly lease?: Lease;
      readonly sinceMs: number;
      /** How often somebody has asked and heard that nothing more is to be sent. */
      readonly told: number;
    }
  /** The new container is started beside the old one, which serves on. */
  | { readonly name: 'surging'; readonly attempt: Attempt; readonly lease?: Lease; readonly left?: number }
  /** With several containers of the service they go over one by one; before the first one `left` is missing. */
  | { readonly name: 'swapping'; readonly attempt: Attempt; readonly lease?: Lease; readonly left?: number }
  | {
      readonly name: 'probing';
      readonly attempt: Attempt;
      readonly lease?: Lease;
      readonly sinceMs: number;
      readonly healthySinceMs?: number;
      /** It runs beside the old one, which stops when this is well; what is left is counted as if it had. */
      readonly beside?: true;
      /** So many containers of the service still have the old image, and follow when this one is well; missing: none. */
      readonly left?: number;
    }
  /** It is well, and the application is asked whether that is all. */
  | { readonly name: 'confirming'; readonly attempt: Attempt; readonly lease?: Lease }
  | {
      readonly name: 'settling';
      readonly attempt: Attempt;
      readonly lease?: Lease;
      readonly ending: Ending;
      /** The engine has not been able to end it since; missing: it has not tried yet. */
      readonly failingSinceMs?: number;
    }
  | {
      readonly name: 'reverting';
      readonly attempt: Attempt;
      readonly lease?: Lease;
      readonly ending: Ending;
      /** The old container has not been stopped. */
      readonly serves?: true;
      /** As in `settling`. */
      readonly failingSinceMs?: number;
    }
  | {
      readonly name: 'rejoining';
      readonly attempt: Attempt;
      readonly lease?: Lease;
      readonly ending: Ending;
      /** How often somebody has asked and heard that it is back. */
      readonly told: number;
    };

export interface ServiceState {
  readonly self: Self;
  readonly journal: Journal;
  readonly phase: Phase;
  /** What the engine shows; missing until it has been looked at since the last change of ours. */
  readonly observation?: Observation;
  /** Rises when an attempt begins and when it ends: what the engine showed before tells nothing after. */
  readonly era: number;
  /** What an agent that died left behind has been taken care of. */
  readonly recovered: boolean;
  readonly connected: boolean;
  readonly wave?: Standing<Wave>;
  readonly halt?: Standing<Halt>;
  /** What the operator says in the node's policy file, and how far the wall's clock is from ours. */
  readonly word?: { readonly read: Parsed<readonly OperatorWord[]>; readonly wallOffsetMs: number };
  /** The last pulse that named the wave we know, or a newer one. */
  readonly pulse?: {
    readonly atMs: number;
    readonly term: number;
    readonly wave: number;
    readonly halt: number;
  };
  /** The orders went backwards: nothing is obeyed until they are past what was seen before. */
  readonly frozen: boolean;
  readonly slots: SlotView;
  /** The digest that has been brought here and verified since the start. */
  readonly staged?: Digest;
  /** Nothing begins before: an attempt was interrupted, or nothing came of a claim. */
  readonly restUntilMs: number;
  /** The program is ending: nothing begins. */
  readonly stopping: boolean;
  /** A container that has just been started takes more and more. */
  readonly warming?: { readonly sinceMs: number; readonly rampMs: number };
  /** The report on its way. */
  readonly sending?: string;
}

export function newService(self: Self, journal: Journal): ServiceState {
  return {
    self,
    journal,
    phase: { name: 'idle' },
    era: 0,
    recovered: false,
    connected: false,
    frozen: false,
    slots: new Map(),
    restUntilMs: 0,
    stopping: false,
  };
}

export function withJournal(state: ServiceState, change: Partial<Journal>): ServiceState {
  return { ...state, journal: { ...state.journal, ...change } };
}

export function withPhase(state: ServiceState, phase: Phase): ServiceState {
  return { ...state, phase };
}

/** The attempt that is under way, and its lease, in whichever phase. */
export function work(phase: Phase): { readonly attempt: Attempt; readonly lease?: Lease } | undefined {
  return 'attempt' in phase && phase.name !== 'claiming' ? phase : undefined;
}
