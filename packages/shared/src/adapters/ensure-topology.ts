/**
 * The streams and buckets that Swell lives in, as `nats/streams` describes them: what is missing is made, what differs is
 * told, and nothing that exists is changed. A setting that somebody chose on purpose is theirs; one that slipped in is a
 * warning in the log until somebody looks.
 */

import { readdir, readFile } from 'node:fs/promises';
import { JetStreamApiError } from '@nats-io/jetstream';
import { STREAMS } from '../protocol/subjects.ts';
import type { NatsBus } from './nats-bus.ts';
import { toBusError } from './nats-errors.ts';
import { type ServerConcern, serverConcerns } from './server-concerns.ts';
import { compareDefinitions, type Drift, type StreamDefinition } from './topology-drift.ts';

export interface TopologyOptions {
  /** Where the definitions are; the repository's own by default. */
  readonly definitions?: URL;
  /** R1 or R3, instead of what the files say; where it is not given, any number is right. */
  readonly replicas?: number;
  /** Instead of what the files say. */
  readonly storage?: 'file' | 'memory';
  /** Where a stream begins that is made; 1. See {@link firstSequence}. */
  readonly beginsAt?: (stream: string) => number;
  /** The servers' monitoring addresses, e.g. `http://nats:8222`: there stands how they sync. */
  readonly monitoringUrls?: readonly string[];
}

export interface TopologyReport {
  /** Streams that were not there before. */
  readonly created: readonly string[];
  readonly drift: readonly Drift[];
  readonly concerns: readonly ServerConcern[];
}

/** The repository's own. */
export const DEFINITIONS = new URL('../../../../nats/streams/', import.meta.url);
export const STREAM_NOT_FOUND = 10_059;
/** Somebody else made it a moment ago, a little differently. */
const NAME_IN_USE = 10_058;

/** Makes what is missing and tells what differs. Throws {@link BusError} where the server cannot be asked. */
export async function ensureTopology(bus: NatsBus, options: TopologyOptions = {}): Promise<TopologyReport> {
  const { beginsAt = () => 1 } = options;
  const created: string[] = [];
  const drift: Drift[] = [];
  for (const definition of await readDefinitions(options.definitions ?? DEFINITIONS)) {
    const wanted = withOptions(definition, options);
    try {
      const found = await findOrCreate(bus, wanted, created, beginsAt);
      const ignored = options.replicas === undefined ? ['num_replicas'] : [];
      drift.push(...compareDefinitions(wanted, found, ignored));
    } catch (error) {
      throw toBusError(error, `ensuring ${wanted.name}`, 'unavailable');
    }
  }
  const concerns = await serverConcerns(bus.serverVersion, options.monitoringUrls ?? []);
  return { created, drift, concerns };
}

/** The definitions of a folder; those that copy from others come last. */
export async function readDefinitions(folder: URL): Promise<readonly StreamDefinition[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  const definitions = await Promise.all(
    files.map(async (file) => parseDefinition(file, await readFile(new URL(file, folder), 'utf8'))),
  );
  const copies = (definition: StreamDefinition): number => (definition['sources'] === undefined ? 0 : 1);
  return definitions.toSorted((a, b) => copies(a) - copies(b));
}

function parseDefinition(file: string, text: string): StreamDefinition {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'name' in parsed && typeof parsed.name === 'string') {
    return { ...parsed, name: parsed.name };
  }
  throw new Error(`${file}: not the definition of a stream`);
}

function withOptions(definition: StreamDefinition, options: TopologyOptions): StreamDefinition {
  return {
    ...definition,
    ...(options.replicas === undefined ? {} : { num_replicas: options.replicas }),
    ...(options.storage === undefined ? {} : { storage: options.storage }),
  };
}

/**
 * Where a stream begins that is made now. A slot is held by the number of its last write (B4), so in a bucket that is made
 * anew no number may come that whoever held a slot in the one before still writes by: it begins at the time, in ms.
 */
export function firstSequence(stream: string, nowMs: number): number {
  return stream === STREAMS.slots ? Math.round(nowMs) : 1;
}

async function findOrCreate(
  bus: NatsBus,
  wanted: StreamDefinition,
  created: string[],
  beginsAt: (stream: string) => number,
): Promise<Readonly<Record<string, unknown>>> {
  const { streams } = bus.manager;
  try {
    return { ...(await streams.info(wanted.name)).config };
  } catch (error) {
    if (!isApiError(error, STREAM_NOT_FOUND)) throw error;
  }
  try {
    // The files are the server's own words, so they go to it as they are.
    const made = await streams.add({ ...wanted, first_seq: beginsAt(wanted.name) });
    created.push(wanted.name);
    return { ...made.config };
  } catch (error) {
    if (!isApiError(error, NAME_IN_USE)) throw error;
    return { ...(await streams.info(wanted.name)).config };
  }
}

const isApiError = (error: unknown, code: number): boolean =>
  error instanceof JetStreamApiError && error.code === code;
