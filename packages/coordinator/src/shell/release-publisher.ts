/** Puts a release of our own on the bus, behind the message that the core has taken last and behind no other. */

import { type Bus, BusError } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import { publishUntilStored } from '@swell/shared/adapters/persistent-publish.ts';
import type { Publishing } from '@swell/shared/domain/publishing.ts';
import { encodeRelease } from '@swell/shared/protocol/intent.ts';
import { releaseSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { CoordinatorEvent } from '../core/events.ts';

const AGAIN_MS = 1_000;

interface Ground {
  readonly service: string;
  readonly bus: Bus;
  readonly host: Host;
  readonly signal: AbortSignal;
}

/** @returns why it was not stored; nothing where it was */
export async function publishRelease(
  publishing: Publishing,
  expect: number,
  { service, bus, host, signal }: Ground,
): Promise<CoordinatorEvent | undefined> {
  const { publication, release } = publishing;
  const subject = releaseSubject(service);
  const line = `${service}: ${publication} releases ${release.version}`;
  const message = { subject, body: encodeRelease(publishing), line, id: publication, expectLast: expect };
  for (;;) {
    try {
      await publishUntilStored(bus, message, host, signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.code === 'refused')
        return { kind: 'release-not-published', publication, reason: error.message };
    }
    // It may be our own, stored by a try whose answer was lost, or by the leader before us.
    try {
      const last = await bus.readLast(STREAMS.releases, subject);
      return { kind: 'release-overtaken', publication, last: last?.sequence ?? 0 };
    } catch (error) {
      if (!(error instanceof BusError && error.retryable)) throw error;
    }
    await host.sleep(AGAIN_MS, signal);
  }
}
