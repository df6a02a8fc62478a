/** A world's history in a few bytes: the same for the same seed, whoever runs it and beside whatever else. */

import { createHash } from 'node:crypto';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';

export class History {
  readonly #hash = createHash('sha256');

  stored(stream: string, { subject, sequence, body }: StoredMessage, nowMs: number): void {
    this.#hash.update(`${nowMs} ${stream} ${subject} ${sequence} `).update(body);
  }

  happened(what: string, nowMs: number): void {
    this.#hash.update(`${nowMs} ${what}\n`);
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}
