/** I1, by who is really out of rotation at each instant. */

import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { Bench } from './bench.ts';
import type { TrueTenure } from './slots.ts';

interface Place {
  /** Nodes out by our doing, each with the slot by which it went. */
  readonly out: Map<NodeId, TrueTenure | undefined>;
  /** The slots of the wave that stands. */
  limit: number;
  /** What may be out: the limit; or, where that shrank, as many as held slots then, until they are few enough. */
  ceiling: number;
}

export class Unavailable {
  readonly #bench: Bench;
  readonly #places = new Map<Region, Place>();
  mostOut = 0;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** A wave stands that gives the region so many slots, of which so many are held. */
  limit(region: Region, slots: number, held: number): void {
    const place = this.#place(region);
    place.limit = slots;
    place.ceiling = slots >= place.ceiling ? slots : Math.max(slots, Math.min(place.ceiling, held));
  }

  /** A slot has become free. */
  freed(region: Region, held: number): void {
    const place = this.#place(region);
    place.ceiling = Math.max(place.limit, Math.min(place.ceiling, held));
  }

  wentOut(region: Region, node: NodeId, tenure: TrueTenure | undefined): void {
    const place = this.#place(region);
    place.out.set(node, tenure);
    this.#bench.judged('I1');
    const counted = [...place.out].filter(([, by]) => isCounted(by)).map(([name]) => name);
    this.mostOut = Math.max(this.mostOut, counted.length);
    if (counted.length <= place.ceiling) return;
    this.#bench.break(
      'I1',
      `${counted.length} nodes of ${region} are out of rotation (${counted.join(', ')}), ${place.ceiling} may be`,
      { region, node, others: counted },
    );
  }

  cameBack(region: Region, node: NodeId): void {
    this.#place(region).out.delete(node);
  }

  #place(region: Region): Place {
    const known = this.#places.get(region);
    if (known !== undefined) return known;
    const place: Place = { out: new Map(), limit: 0, ceiling: 0 };
    this.#places.set(region, place);
    return place;
  }
}

/** A lost node is charged to the failure budget; of one whose slot the bus itself forgot, no program can know. */
function isCounted(tenure: TrueTenure | undefined): boolean {
  return tenure?.ended !== 'lost' && tenure?.ended !== 'forgotten';
}
