/**
 * What a service's core orders. Each may run twice, and each is ordered again after a crash: by the difference between
 * what ought to stand on the bus and what does, or because the record still names it.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import type { Publishing } from '@swell/shared/domain/publishing.ts';
import type { ReleaseReference } from '@swell/shared/domain/unit.ts';
import type { TagReference } from '@swell/shared/domain/watch.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import type { GateQuestion } from './limits/gate-watch.ts';

export type Effect =
  | { readonly kind: 'resolve-image'; readonly rollout: number; readonly image: ReleaseReference }
  | { readonly kind: 'look-at-tag'; readonly image: TagReference }
  | { readonly kind: 'publish-wave'; readonly wave: Wave; readonly expect: number }
  /** No halt: the standing one is lifted. */
  | { readonly kind: 'publish-halt'; readonly halt: Halt | undefined; readonly expect: number }
  | { readonly kind: 'clear-slot'; readonly region: Region; readonly slot: number; readonly expect: number }
  /** Only where the last message of the service is still the one that was expected. */
  | { readonly kind: 'publish-release'; readonly publishing: Publishing; readonly expect: number }
  | GateQuestion
  | { readonly kind: 'tell'; readonly event: FleetEvent };
