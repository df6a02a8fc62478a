/** What a service's core knows of the other services: how each stands to those that depend on it. */

import type { Dependency } from '@swell/shared/domain/dependency.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';

export interface ServiceStanding {
  /** By its policy, and by what its releases bring along that have not ended. */
  readonly dependsOn: readonly Dependency[];
  /** A release that has not begun. */
  readonly waiting?: Numbered;
  readonly rollout?: Numbered & {
    readonly is: 'under way' | 'halting' | 'over';
    /** Why it was stopped, if it was. */
    readonly reason?: string;
    /** Regions that have come to the end of their last soak; it may be on its way elsewhere. */
    readonly through: readonly Region[];
  };
  /** Newest first. */
  readonly settled: readonly Numbered[];
}

/** A release by its number: one published later has a higher one, whatever service it is of. */
export interface Numbered {
  readonly number: number;
  readonly train?: string;
}

/** A service that is missing is one of which nothing is known: that lets nobody go on. */
export type Others = ReadonlyMap<ServiceName, ServiceStanding>;
