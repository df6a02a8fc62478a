/**
 * Hints that somebody touched a container of a service, from dockerd's event stream. The stream ends whenever dockerd
 * does; it is opened again, and since nobody knows what was missed, every service is named once.
 */

import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { isName, type ServiceName } from '@swell/shared/domain/names.ts';
import type Docker from 'dockerode';
import { SERVICE_LABEL } from '../memo.ts';

const EVENTS = ['start', 'die', 'destroy', 'rename'];
const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 10_000;

/** Ends when the signal is aborted; never throws. */
export async function* serviceChanges(
  docker: Docker,
  labels: readonly string[],
  services: () => Promise<readonly ServiceName[]>,
  signal: AbortSignal,
): AsyncGenerator<ServiceName> {
  let connected = false;
  let retryMs = RETRY_FIRST_MS;
  while (!signal.aborted) {
    const connection = new AbortController();
    try {
      const filters = JSON.stringify({ type: ['container'], event: EVENTS, label: labels });
      const stream = await docker.getEvents(
        Object.assign({ filters }, { abortSignal: AbortSignal.any([signal, connection.signal]) }),
      );
      retryMs = RETRY_FIRST_MS;
      if (connected) yield* await services();
      connected = true;
      for await (const line of createInterface({ input: stream })) {
        const service = serviceIn(line);
        if (service !== undefined) yield service;
      }
    } catch {
      // dockerd is away, or we are leaving; the loop knows which.
    } finally {
      connection.abort();
    }
    await pause(retryMs, undefined, { signal }).catch(() => {});
    retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
  }
}

/** A label may say anything, and a service's name becomes the name of a file. */
function serviceIn(line: string): ServiceName | undefined {
  try {
    const event: { readonly Actor?: { readonly Attributes?: Readonly<Record<string, unknown>> } } =
      JSON.parse(line);
    const service = event.Actor?.Attributes?.[SERVICE_LABEL];
    return typeof service === 'string' && isName(service) ? service : undefined;
  } catch {
    return undefined;
  }
}
