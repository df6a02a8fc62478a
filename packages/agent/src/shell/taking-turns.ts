/**
 * Agents of one node take turns: each stands by until it holds the node's lease, acts until it loses it, and stands by
 * again. What they touch is lent to them, so that the simulation plays the very same.
 */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { FileJournals, Journals } from '../adapters/journal.ts';
import type { LeaseFiles } from '../adapters/lease-files.ts';
import { mayStop } from '../core/may-stop.ts';
import { Agent, type AgentOptions } from './agent.ts';
import type { EngineSource } from './open-engine.ts';
import { Standby } from './standby.ts';
import { acquireTenure, type Tenure, type TenureOptions } from './tenure.ts';

/** One that stands by looks again. */
const PROOF_CONNECT_MS = 10_000;

export interface TurnsOptions
  extends Omit<AgentOptions, 'engine' | 'journals' | 'connectBus'>,
    Pick<TenureOptions, 'me' | 'isAlive'> {
  readonly files: LeaseFiles;
  readonly journals: Journals & Pick<FileJournals, 'look'>;
  readonly source: Pick<EngineSource, 'open' | 'openToLook'>;
  readonly connectBus: (signal: AbortSignal, firstConnectTimeoutMs: number) => Promise<Bus>;
  /** Who it is from now on. */
  readonly onTurn: (current: Agent | Standby) => void;
}

/** Runs until the signal aborts and every service has come to rest. */
export async function takeTurns(options: TurnsOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const tenure = await standBy(options, signal);
    options.logger.info({ term: tenure.term }, 'acts on its node');
    await act(options, tenure, signal);
    // Only now nobody here does anything any more.
    await tenure.release();
  }
}

async function standBy(options: TurnsOptions, signal: AbortSignal): Promise<Tenure> {
  const { files, host, logger, journals, source, connectBus, me } = options;
  const waiting = new Standby({
    host,
    logger,
    journals,
    openToLook: () => source.openToLook(),
    connectBus: (ending) => connectBus(ending, PROOF_CONNECT_MS),
    say: async (word) => {
      if (me.container !== undefined) await files.saveStandbyWord(me.container, word);
    },
  });
  options.onTurn(waiting);
  const over = new AbortController();
  const proof = Promise.withResolvers<never>();
  try {
    const onWaiting = (): void => {
      const ending = AbortSignal.any([signal, over.signal]);
      waiting.prove(ending).catch((error: unknown) => ending.aborted || proof.reject(error));
    };
    return await Promise.race([acquireTenure(options, signal, onWaiting), proof.promise]);
  } finally {
    over.abort();
    if (me.container !== undefined) await files.forgetStandbyWord(me.container);
  }
}

async function act(options: TurnsOptions, tenure: Tenure, signal: AbortSignal): Promise<void> {
  const { files, host, journals, source, connectBus, logger } = options;
  await using agent: Agent = new Agent({
    ...options,
    engine: source.open({
      assertHeld: () => tenure.assertHeld(),
      mayStop: (service) =>
        agent.states().every((state) => state.self.service !== service || mayStop(state, host.monotonicMs())),
      handOver: (container) => tenure.handOver(container),
      standbyWord: (container) => files.standbyWord(container),
      forgetStandbyWord: (container) => files.forgetStandbyWord(container),
      isOnBus: () => agent.isConnected,
      inTheMiddle: () => agent.inTheMiddle,
    }),
    journals: keptBy(tenure, journals),
    connectBus: (ending) => connectBus(ending, Number.POSITIVE_INFINITY),
  });
  options.onTurn(agent);
  const over = new AbortController();
  const kept = tenure.keep(over.signal);
  tenure.signal.addEventListener('abort', () => agent.abandon(tenure.signal.reason), { once: true });
  try {
    await agent.run(signal);
  } catch (error) {
    if (!tenure.signal.aborted) throw error;
    logger.warn({ reason: String(tenure.signal.reason) }, 'acts no more');
  } finally {
    over.abort();
    await kept;
  }
}

/** Nothing begins, and nothing is said, that was not saved by whoever acts. */
function keptBy(tenure: Tenure, journals: Journals): Journals {
  return {
    load: (service) => journals.load(service),
    async save(service, journal) {
      await tenure.assertHeld();
      await journals.save(service, journal);
    },
  };
}
