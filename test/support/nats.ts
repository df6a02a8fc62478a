/** Real nats-servers of a test's own: a container where Docker is, else a process. Both can be cut, stopped and continued. */

import { startNatsContainer } from './nats-container.ts';
import { startNatsProcess } from './nats-process.ts';

export interface NatsServerOptions {
  /** Appended to the configuration. */
  readonly conf?: string;
  /** Replaces the `jetstream` block; an empty text leaves JetStream off. */
  readonly jetstream?: string;
}

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly monitoringUrl: string;
  readonly runsAs: 'container' | 'process';
  /** SIGKILL: what it stored stays. */
  kill(): Promise<void>;
  /** Ends it if it runs, in order, and starts it again: same address, same store. */
  restart(): Promise<void>;
  /** Freezes it (SIGSTOP): connections stay, nothing is answered. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** For good: its store goes too. */
  stop(): Promise<void>;
}

/** Starts a server; `SWELL_TEST_NATS` says `process` or `container` where the choice matters. */
export async function startNats(options: NatsServerOptions = {}): Promise<NatsServer> {
  const wanted = process.env['SWELL_TEST_NATS'];
  if (wanted === 'process') return startNatsProcess(options);
  const container = await startNatsContainer(options);
  if (container !== undefined) return container;
  if (wanted === 'container') throw new Error('SWELL_TEST_NATS=container, and no Docker daemon answers');
  return startNatsProcess(options);
}
