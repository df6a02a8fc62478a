/** What a service's core hears. Each comes with the leader's time, in ms since 1970, beside it. */

import type { GateAnswer } from '@swell/shared/domain/gate.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ControlIntent, ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import type { NodeReport, ServicePresence } from '@swell/shared/domain/report.ts';
import type { SlotEntry } from '@swell/shared/domain/slot.ts';
import type { Resolved } from '@swell/shared/domain/unit.ts';
import type { TagHint, TagReference } from '@swell/shared/domain/watch.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import type { Asking } from './limits/gate-watch.ts';

/** A watched tag, and the digest behind it. */
export interface SeenTag {
  readonly image: TagReference;
  readonly digest: Digest;
  /** For how long the registry wants to be left alone. */
  readonly restMs?: number;
}

export interface MissedTag {
  readonly image: TagReference;
  readonly reason: string;
  /** What the registry asked us to wait. */
  readonly retryAfterMs?: number;
}

/** A node's presence as far as it speaks of this service; `presence` is missing where it has no such container. */
export interface NodeSighting {
  readonly region: Region;
  readonly node: NodeId;
  readonly seenAtMs: number;
  readonly presence?: ServicePresence;
  readonly labels?: readonly string[];
}

/** A report, where the bus stored it, and when the leader heard it. */
export interface HeardReport {
  readonly report: NodeReport;
  readonly sequence: number;
  readonly heardAtMs: number;
}

export type CoordinatorEvent =
  /** All that the bus held at take-over has been heard. */
  | { readonly kind: 'bus-read' }
  | { readonly kind: 'time-passed' }
  | { readonly kind: 'release-published'; readonly at: Place; readonly release: Parsed<ReleaseIntent> }
  | { readonly kind: 'control-given'; readonly at: Place; readonly control: Parsed<ControlIntent> }
  | { readonly kind: 'policy-written'; readonly at: Place; readonly policy: Parsed<PolicyLayer> }
  | { readonly kind: 'policy-deleted'; readonly at: Place }
  | ({ readonly kind: 'image-resolved'; readonly rollout: number } & Resolved)
  | {
      readonly kind: 'image-not-resolved';
      readonly rollout: number;
      readonly reason: string;
      /** It is tried again: nobody said that there is no such image. */
      readonly retrying: boolean;
      /** What the registry asked us to wait. */
      readonly retryAfterMs?: number;
    }
  /** Another message than was expected is the last one of the service. */
  | { readonly kind: 'release-overtaken'; readonly publication: string; readonly last: number }
  /** The bus does not let us publish it. */
  | { readonly kind: 'release-not-published'; readonly publication: string; readonly reason: string }
  | { readonly kind: 'gate-answered'; readonly asking: Asking; readonly answer: GateAnswer }
  /** What the registry answers about a watched tag. */
  | ({ readonly kind: 'tag-seen' } & SeenTag)
  | ({ readonly kind: 'tag-not-seen' } & MissedTag)
  /** Somebody says that a tag has moved. */
  | { readonly kind: 'tag-hinted'; readonly hint: TagHint }
  | { readonly kind: 'nodes-seen'; readonly nodes: readonly NodeSighting[] }
  | { readonly kind: 'reports-read'; readonly reports: readonly HeardReport[] }
  | {
      readonly kind: 'slot-seen';
      readonly region: Region;
      readonly slot: number;
      readonly entry: SlotEntry;
      readonly heardAtMs: number;
    }
  /** What stands on the bus under an order's key, as it was read or followed. */
  | {
      readonly kind: 'wave-seen';
      readonly region: Region;
      readonly revision: number;
      readonly wave: Wave | undefined;
    }
  | {
      readonly kind: 'halt-seen';
      readonly revision: number;
      readonly halt: Halt | undefined;
      /** Nobody starts while a halt cannot be read, so it must not stay. */
      readonly unreadable?: true;
    }
  /** The leader of another scope has ordered it. */
  | { readonly kind: 'halt-elsewhere'; readonly halt: Halt }
  /** The bus has acknowledged what we wrote. */
  | {
      readonly kind: 'wave-stored';
      readonly region: Region;
      readonly revision: number;
      readonly wave: Wave;
    }
  | { readonly kind: 'halt-stored'; readonly revision: number; readonly halt: Halt | undefined }
  | { readonly kind: 'event-stored'; readonly id: string };
