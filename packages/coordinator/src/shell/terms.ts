/** Waits for the lease, leads, and again: all of a coordinator that the simulation runs as well. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { Registry } from '@swell/shared/adapters/registry.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import type { Prometheus } from '../adapters/prometheus.ts';
import { type LeaderWatcher, lead } from './leader.ts';
import { acquireLeadership } from './leadership.ts';

export interface TermsOptions {
  readonly name: string;
  /** Missing: the global one. */
  readonly scope?: Scope;
  readonly bus: Bus;
  readonly registry: Registry;
  readonly prometheus?: Prometheus;
  readonly host: Host;
  readonly logger: Logger;
  readonly watcher: LeaderWatcher & { leads(leading: boolean): void };
  readonly leaseMs: number;
  readonly pulseEveryMs: number;
}

/** Serves term after term until the signal aborts. A term that failed is logged, and the next one starts from what is saved. */
export async function serveTerms(options: TermsOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await serveOne(options, signal);
    } catch (error) {
      if (signal.aborted) return;
      options.logger.error({ err: error }, 'term failed');
    } finally {
      options.watcher.leads(false);
    }
    // What ended this term may end the next one as well: not at full speed.
    await options.host.sleep(options.leaseMs / 5, signal).catch(() => {});
  }
}

async function serveOne(options: TermsOptions, signal: AbortSignal): Promise<void> {
  const { name, scope, bus, host, leaseMs, logger, watcher } = options;
  const onUnreadable = (problems: readonly string[]): void =>
    logger.warn({ problems }, 'the lease does not parse');
  const term = await acquireLeadership(
    { bus, host, coordinator: name, ...(scope !== undefined && { scope }), leaseMs, onUnreadable },
    signal,
  );
  logger.info({ term: term.number, coordinator: name }, 'lease taken');
  watcher.leads(true);
  await lead({ ...options, term }, signal);
}
