/**
 * Whether a pull has room. dockerd tells the size of each layer when it begins to download it, and only of those that are not
 * on the node: what is told so far, unpacked, has to fit beside the reserve. Nobody asks the registry for that, where every
 * question counts against a limit; and a release that shares its base with what runs needs no room for that.
 */

import { formatBytes } from '@swell/shared/kernel/units.ts';

/** What a pull leaves free: so many bytes, or that share of the disk. */
export type DiskReserve = { readonly bytes: number } | { readonly share: number };

export interface Disk {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** A layer comes compressed, mostly to less than half, and lies beside what is unpacked of it until that is done. */
const UNPACKED = 3;

/** What a pull says of itself, as far as it tells of room. */
export interface Told {
  readonly id?: unknown;
  readonly status?: unknown;
  readonly progressDetail?: { readonly total?: unknown } | null;
}

export class Room {
  readonly #disk: Disk;
  readonly #reserve: DiskReserve;
  readonly #layers = new Map<string, number>();

  constructor(disk: Disk, reserve: DiskReserve) {
    this.#disk = disk;
    this.#reserve = reserve;
  }

  /** Why the pull must not go on, by what is known of it; `undefined`: it may. */
  get shortage(): string | undefined {
    const { freeBytes, totalBytes } = this.#disk;
    const reserve = 'bytes' in this.#reserve ? this.#reserve.bytes : this.#reserve.share * totalBytes;
    const needed = [...this.#layers.values()].reduce((sum, bytes) => sum + bytes, 0) * UNPACKED;
    const left = freeBytes - needed;
    if (left >= reserve) return undefined;
    const words = [`${formatBytes(freeBytes)} free`, `${formatBytes(left)} would be left`];
    return `${words.join(', ')}, ${formatBytes(reserve)} are reserved`;
  }

  tell({ id, status, progressDetail }: Told): void {
    const total = progressDetail?.total;
    if (typeof id === 'string' && status === 'Downloading' && typeof total === 'number' && total > 0)
      this.#layers.set(id, total);
  }
}
