/**
 * The fleet's log as its readers see it: everything that was stored, decoded. Observers, the checker and replays read
 * the same.
 */

import type { FleetEvent } from './event.ts';
import type { Region, ServiceName } from './names.ts';
import type { NodeReport } from './report.ts';
import type { SlotHolder } from './slot.ts';
import type { Halt, Wave } from './wave.ts';

export type LogEntry = {
  /** Its place in the log. */
  readonly sequence: number;
  /** The server's clock when it came into the log. */
  readonly atMs: number;
} & LogRecord;

export type LogRecord =
  /** Something was published as a release; whether it is one, an event tells. */
  | { readonly kind: 'release'; readonly service: ServiceName; readonly rollout: number }
  | { readonly kind: 'wave'; readonly revision: number; readonly wave: Wave }
  /** `halt` missing: the standing one was lifted. */
  | {
      readonly kind: 'halt';
      readonly service: ServiceName;
      readonly revision: number;
      readonly halt?: Halt;
    }
  /** `holder` missing: the slot was freed or cleared. */
  | {
      readonly kind: 'slot';
      readonly region: Region;
      readonly service: ServiceName;
      readonly slot: number;
      readonly revision: number;
      readonly holder?: SlotHolder;
    }
  | { readonly kind: 'report'; readonly report: NodeReport }
  | { readonly kind: 'event'; readonly event: FleetEvent };
