/** What of a stream's definition (`nats/streams/*.json`) changes how it behaves. */

import { readDefinitions } from '@swell/shared/adapters/ensure-topology.ts';
import type { StreamDefinition } from '@swell/shared/adapters/topology-drift.ts';
import { type Rewrite, rewriter } from './subjects.ts';

export interface StreamShape {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly storage: 'file' | 'memory';
  /** How much of a subject's past is kept; `Infinity`: all. */
  readonly historyMax: number;
  /** Messages older than this go; `Infinity`: none. */
  readonly ageMaxMs: number;
  /** Whether a marker takes the place of a last message that has expired, and how long it stays. */
  readonly markerMs: number | undefined;
  readonly duplicateWindowMs: number;
  readonly sizeMax: number;
  /** Where the server says again what it has stored. */
  readonly republish: Rewrite | undefined;
  readonly sources: readonly StreamSource[];
}

/** A stream that this one copies from. */
export interface StreamSource {
  readonly stream: string;
  readonly rewrite: Rewrite;
}

const DEFINITIONS = new URL('../../../nats/streams/', import.meta.url);

/** The streams that Swell lives in; those that copy from others come last. */
export async function readShapes(folder: URL = DEFINITIONS): Promise<readonly StreamShape[]> {
  return (await readDefinitions(folder)).map(shapeOf);
}

interface Pair {
  readonly src: string;
  readonly dest: string;
}

/** The fields of the server's that are read here; the others change nothing in the model. */
interface Definition {
  readonly name: string;
  readonly subjects?: readonly string[];
  readonly storage?: 'file' | 'memory';
  readonly max_msgs_per_subject?: number;
  readonly max_age?: number;
  readonly allow_msg_ttl?: boolean;
  readonly subject_delete_marker_ttl?: number;
  readonly duplicate_window?: number;
  readonly max_msg_size?: number;
  readonly republish?: Pair;
  readonly sources?: readonly { readonly name: string; readonly subject_transforms?: readonly Pair[] }[];
}

const DUPLICATE_WINDOW_MS = 120_000;
const NANOSECONDS = 1_000_000;
const unlimited = (limit: number | undefined): number =>
  limit === undefined || limit <= 0 ? Number.POSITIVE_INFINITY : limit;

export function shapeOf(given: StreamDefinition): StreamShape {
  const definition = given as Definition;
  const marker = definition.subject_delete_marker_ttl ?? 0;
  const { republish } = definition;
  return {
    name: definition.name,
    subjects: definition.subjects ?? [],
    storage: definition.storage ?? 'file',
    historyMax: unlimited(definition.max_msgs_per_subject),
    ageMaxMs: unlimited(definition.max_age) / NANOSECONDS,
    markerMs: marker > 0 ? marker / NANOSECONDS : undefined,
    duplicateWindowMs: (definition.duplicate_window ?? DUPLICATE_WINDOW_MS * NANOSECONDS) / NANOSECONDS,
    sizeMax: unlimited(definition.max_msg_size),
    republish: republish === undefined ? undefined : rewriter(republish.src, republish.dest),
    sources: (definition.sources ?? []).map(({ name, subject_transforms: transforms = [] }) => ({
      stream: name,
      rewrite: firstOf(transforms.map(({ src, dest }) => rewriter(src, dest))),
    })),
  };
}

/** Without transforms a source's subjects stay as they are. */
function firstOf(rewrites: readonly Rewrite[]): Rewrite {
  if (rewrites.length === 0) return (subject) => subject;
  return (subject) => rewrites.map((rewrite) => rewrite(subject)).find((found) => found !== undefined);
}
