/**
 * How the bus stands beside its definition: every stream and bucket, its copies, and the server's clock. Looks only; what
 * is missing stays missing.
 */

import { JetStreamApiError, type StreamInfo } from '@nats-io/jetstream';
import type { Clock } from './clock.ts';
import { DEFINITIONS, readDefinitions, STREAM_NOT_FOUND } from './ensure-topology.ts';
import type { NatsBus } from './nats-bus.ts';
import { toBusError } from './nats-errors.ts';
import { type ServerConcern, serverConcerns } from './server-concerns.ts';
import { compareDefinitions, type Drift } from './topology-drift.ts';

/** A stream as it stands on its servers. */
export interface StreamStanding {
  readonly stream: string;
  /** How many copies it is meant to have. */
  readonly replicas: number;
  /** Missing where its copies cannot agree on one. */
  readonly leader?: string;
  /** Servers whose copy is not as new as the leader's, or that are out of reach. */
  readonly behind: readonly string[];
}

/** How far a stream leader's clock is ahead of ours, and how exactly that could be measured. */
export interface ClockOffset {
  readonly server: string;
  readonly aheadMs: number;
  readonly toleranceMs: number;
}

export interface Examination {
  readonly serverVersion: string;
  readonly concerns: readonly ServerConcern[];
  readonly missing: readonly string[];
  readonly streams: readonly StreamStanding[];
  readonly drift: readonly Drift[];
  /** One for each server that leads a stream. */
  readonly clocks: readonly ClockOffset[];
}

/**
 * Looks at everything, and changes nothing.
 *
 * @param monitoringUrls the servers' monitoring addresses: there stands how they sync
 * @throws BusError where the server cannot be asked
 */
export async function examineTopology(
  bus: NatsBus,
  clock: Clock,
  monitoringUrls: readonly string[],
): Promise<Examination> {
  const missing: string[] = [];
  const streams: StreamStanding[] = [];
  const drift: Drift[] = [];
  const clocks = new Map<string, ClockOffset>();
  for (const definition of await readDefinitions(DEFINITIONS)) {
    const askedMs = clock.wallMs();
    const info = await findStream(bus, definition.name);
    const answeredMs = clock.wallMs();
    if (info === undefined) {
      missing.push(definition.name);
      continue;
    }
    const standing = standingOf(info);
    streams.push(standing);
    // Any number of copies is right: that is told as it is.
    drift.push(...compareDefinitions(definition, { ...info.config }, ['num_replicas']));
    const server = standing.leader ?? 'the server';
    const offset = offsetOf(info, server, askedMs, answeredMs);
    const known = clocks.get(server);
    if (offset !== undefined && (known === undefined || offset.toleranceMs < known.toleranceMs))
      clocks.set(server, offset);
  }
  const concerns = await serverConcerns(bus.serverVersion, monitoringUrls);
  return {
    serverVersion: bus.serverVersion,
    concerns,
    missing,
    streams,
    drift,
    clocks: [...clocks.values()],
  };
}

async function findStream(bus: NatsBus, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await bus.manager.streams.info(stream);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw toBusError(error, `looking at ${stream}`, 'unavailable');
  }
}

function standingOf({ config, cluster }: StreamInfo): StreamStanding {
  const behind = (cluster?.replicas ?? []).filter(({ current, offline }) => !current || offline);
  const leader = cluster?.leader;
  return {
    stream: config.name,
    replicas: config.num_replicas,
    ...(leader !== undefined && leader !== '' && { leader }),
    behind: behind.map(({ name }) => name),
  };
}

/** The server says when it answered; that was somewhere between our question and its answer's arrival. */
function offsetOf(
  info: StreamInfo,
  server: string,
  askedMs: number,
  answeredMs: number,
): ClockOffset | undefined {
  // A field of the server's answer that the client's types leave out.
  const atMs = 'ts' in info && typeof info.ts === 'string' ? Date.parse(info.ts) : Number.NaN;
  if (Number.isNaN(atMs)) return undefined;
  return {
    server,
    aheadMs: Math.round(atMs - (askedMs + answeredMs) / 2),
    toleranceMs: Math.ceil((answeredMs - askedMs) / 2),
  };
}
