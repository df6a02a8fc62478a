/** What dockerd tells of a pull that is under way, as it tells it. Nothing of it is kept: a pull may go on for hours. */

import { addAbortSignal, type Readable } from 'node:stream';
import type { Told } from './room.ts';

/** A line of the body: a failure, or how far a layer has come. */
export interface PullLine extends Told {
  readonly error?: unknown;
}

/** Ends with the body; throws where that is cut off, or the signal aborts. What is no document says nothing. */
export async function* pullLines(body: Readable, signal: AbortSignal): AsyncGenerator<PullLine> {
  const decoder = new TextDecoder();
  let begun = '';
  for await (const chunk of addAbortSignal(signal, body)) {
    const lines = (begun + decoder.decode(chunk, { stream: true })).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) yield read(line);
  }
  yield read(begun);
}

function read(line: string): PullLine {
  try {
    const told: unknown = JSON.parse(line);
    return typeof told === 'object' && told !== null ? told : {};
  } catch {
    return {};
  }
}
