/**
 * What a service says of itself to whoever looks for services (`nats micro ls`, `info`, `stats`): NATS' ADR-32. Written
 * here, since NATS' own library has no release that goes with ours (decision 24).
 */

export interface MicroService {
  /** Letters, digits, `-` and `_`. */
  readonly name: string;
  /** Of this instance, one token of a subject. */
  readonly id: string;
  /** Of semver.org. */
  readonly version: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
}

export interface MicroEndpoint {
  readonly name: string;
  readonly subject: string;
  readonly description: string;
}

/** What an endpoint has done. */
export interface EndpointStats {
  readonly requests: number;
  readonly errors: number;
  readonly lastError: string;
  readonly processingMs: number;
}

export const UNASKED: EndpointStats = { requests: 0, errors: 0, lastError: '', processingMs: 0 };

export type MicroVerb = 'PING' | 'INFO' | 'STATS';

/** The reply to somebody who looks for services. */
export function describeService(
  verb: MicroVerb,
  service: MicroService,
  endpoints: readonly (MicroEndpoint & { readonly stats: EndpointStats })[],
): object {
  const { name, id, version, metadata, description, startedAtMs } = service;
  const type = `io.nats.micro.v1.${verb.toLowerCase()}_response`;
  const identity = { type, name, id, version, metadata };
  switch (verb) {
    case 'PING':
      return identity;
    case 'INFO':
      return { ...identity, description, endpoints: endpoints.map(infoOf) };
    case 'STATS':
      return { ...identity, started: new Date(startedAtMs).toISOString(), endpoints: endpoints.map(statsOf) };
  }
}

/** Without a queue group: of two who may both take themselves for the leader, each hears every question. */
const QUEUE_GROUP = '';

function infoOf({ name, subject, description }: MicroEndpoint): object {
  return { name, subject, queue_group: QUEUE_GROUP, metadata: { description } };
}

function statsOf({ name, subject, stats }: MicroEndpoint & { readonly stats: EndpointStats }): object {
  const { requests, errors, lastError, processingMs } = stats;
  const nanoseconds = Math.round(processingMs * 1e6);
  return {
    name,
    subject,
    queue_group: QUEUE_GROUP,
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: nanoseconds,
    average_processing_time: requests === 0 ? 0 : Math.round(nanoseconds / requests),
  };
}
