/** What a process weighs, by the kernel's own account. */

import { rounded } from '../figures.ts';

export interface Weight {
  /** All of its pages that are in memory, shared ones included. */
  readonly residentMb: number;
  /** Those that are its alone (USS): what ending it would give back. */
  readonly privateMb: number;
  /** Of the private ones, those that it has written: the rest lies in files, and the kernel may drop it. */
  readonly writtenMb: number;
}

/** Reads /proc/<pid>/smaps_rollup, which counts in kB of 1024 bytes. */
export function weightIn(smapsRollup: string): Weight {
  const kb = (field: string): number => {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(smapsRollup)?.[1];
    if (found === undefined) throw new Error(`the kernel says nothing of ${field}`);
    return Number(found);
  };
  return {
    residentMb: rounded(kb('Rss') / 1024, 1),
    privateMb: rounded((kb('Private_Clean') + kb('Private_Dirty')) / 1024, 1),
    writtenMb: rounded(kb('Private_Dirty') / 1024, 1),
  };
}
