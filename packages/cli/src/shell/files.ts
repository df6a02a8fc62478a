/** JSON that a person has written, from a file or from standard input. */

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from './usage.ts';

/** @param path `-` is standard input */
export async function readJson(path: string): Promise<unknown> {
  const read = await readText(path);
  try {
    return JSON.parse(read) as unknown;
  } catch (error) {
    throw new UsageError(`${nameOf(path)} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${nameOf(path)} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

const nameOf = (path: string): string => (path === '-' ? 'standard input' : path);
