/**
 * What a service's core orders. Each may run twice, and each is ordered again after a crash: by the difference between
 * what ought to stand on the bus and what does, or because the record still names it.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import type { ReleaseReference } from '@swell/shared/domain/unit.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';

export type Effect =
  | { readonly kind: 'resolve-image'; readonly rollout: number; readonly image: ReleaseReference }
  | { readonly kind: 'publish-wave'; readonly wave: Wave; readonly expect: number }
  /** No halt: the standing one is lifted. */
  | { readonly kind: 'publish-halt'; readonly halt: Halt | undefined; readonly expect: number }
  | { readonly kind: 'clear-slot'; readonly region: Region; readonly slot: number; readonly expect: number }
  | { readonly kind: 'tell'; readonly event: FleetEvent };
