/** The operator's policy file, read anew each time: what he writes holds from then on, and no agent has to be told. */

import { readFile } from 'node:fs/promises';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { readOperatorPolicy } from '../protocol/operator-word.ts';

export interface Operator {
  /** What he says of a service now. Never throws: what cannot be read may forbid anything, and is told as a problem. */
  read(service: ServiceName): Promise<Parsed<readonly OperatorWord[]>>;
}

/** One who leaves everything to the fleet. */
export const SILENT_OPERATOR: Operator = { read: async () => ({ ok: true, value: [] }) };

export class OperatorFile implements Operator {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(service: ServiceName): Promise<Parsed<readonly OperatorWord[]>> {
    try {
      const read = readOperatorPolicy(await readFile(this.#path), service);
      return read.ok ? read : { ok: false, problems: read.problems.map((one) => `${this.#path}: ${one}`) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT') return { ok: true, value: [] };
      return { ok: false, problems: [`${this.#path} cannot be read: ${String(code ?? error)}`] };
    }
  }
}
