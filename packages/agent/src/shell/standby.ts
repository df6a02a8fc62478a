/**
 * An agent while another one acts on its node: it proves that it could take over, says so, and does nothing. It reads what
 * it would recover from, and writes none of it.
 */

import { BusError } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { Rotation } from '@swell/shared/domain/traffic.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { type Engine, EngineError } from '../adapters/engine.ts';
import type { FileJournals } from '../adapters/journal.ts';
import type { StandbyWord } from '../protocol/node-lease.ts';

const LOOK_AGAIN_MS = 2_000;

export interface StandbyOptions {
  readonly host: Host;
  readonly logger: Logger;
  readonly openToLook: () => Engine;
  readonly journals: Pick<FileJournals, 'look'>;
  readonly connectBus: (signal: AbortSignal) => Promise<AsyncDisposable>;
  /** Tells whoever acts. */
  readonly say: (word: StandbyWord) => Promise<void>;
}

export class Standby {
  readonly #options: StandbyOptions;
  #word: StandbyWord = { ready: false, why: 'it has not looked yet' };

  readonly isConnected = false;
  readonly serviceNames = [] as const;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  states(): readonly [] {
    return [];
  }

  tellRotation(): Rotation {
    return { is: 'unknown', why: 'this agent stands by' };
  }

  /** As one that could take over. */
  readiness(): { readonly ready: boolean; readonly reason?: string } {
    return this.#word.ready ? { ready: true } : { ready: false, reason: `it stands by: ${this.#word.why}` };
  }

  /** Looks until it could take over. Throws the signal's reason. */
  async prove(signal: AbortSignal): Promise<void> {
    const { host, logger, say } = this.#options;
    for (;;) {
      const before = this.#word;
      this.#word = await this.#look(signal);
      signal.throwIfAborted();
      if (!sameValue(before, this.#word)) {
        logger.info({ ...this.#word }, 'stands by');
        await say(this.#word);
      }
      if (this.#word.ready) return;
      await host.sleep(LOOK_AGAIN_MS, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<StandbyWord> {
    const { openToLook, journals, connectBus } = this.#options;
    try {
      await using engine = openToLook();
      for (const service of await engine.services()) {
        await engine.observe(service);
        const { problems } = await journals.look(service);
        if (problems.length > 0)
          return { ready: false, why: `the journal of ${service} does not parse: ${problems.join('; ')}` };
      }
      await using _bus = await connectBus(signal);
      return { ready: true };
    } catch (error) {
      if (error instanceof EngineError || error instanceof BusError)
        return { ready: false, why: error.message };
      throw error;
    }
  }
}
