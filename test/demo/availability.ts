/** Who was out at once: folded from answers of the nodes' own services, whatever any program of ours says. */

import type { NodeId, Region } from '@swell/shared/domain/names.ts';

export interface Availability {
  readonly out: Readonly<Record<Region, readonly NodeId[]>>;
  /** The most nodes of one region that were out at the same time. */
  readonly mostOut: number;
}

export const ALL_IN: Availability = { out: {}, mostOut: 0 };

/** After one more look at one node. */
export function looked(
  before: Availability,
  { region, name }: { readonly region: Region; readonly name: NodeId },
  isIn: boolean,
): Availability {
  const others = (before.out[region] ?? []).filter((node) => node !== name);
  const out = isIn ? others : [...others, name];
  return { out: { ...before.out, [region]: out }, mostOut: Math.max(before.mostOut, out.length) };
}
