/** One release, from the `nats` CLI to its end, shown as it goes and looked at when it is over. */

import type { EventName } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import { type Fleet, type FleetNode, unlessAborted } from '../fleet/fleet.ts';
import type { ActFacts, NodeTruth } from './verdict.ts';
import type { Watch } from './watch.ts';

const PATIENCE_MS = 120_000;

/** After these nothing more comes by itself. */
const ENDS: readonly EventName[] = [
  'release-rejected',
  'rollout-settled',
  'rollout-rested',
  'rollout-aborted',
  'rollout-paused',
];

export interface Act {
  readonly version: string;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/** Publishes `web:<version>` with the `nats` CLI and sees the rollout to its end, whatever that is. */
export async function playAct(fleet: Fleet, { version, watch, signal }: Act): Promise<ActFacts> {
  const release = fleet.releaseArgs({ image: `${fleet.repository}:${version}` });
  watch.say([{ text: `$ ${commandLine(['nats', ...release])}`, tone: 'strong' }]);
  watch.takeMostOut();
  const beganMs = watch.begin();
  const rollout = await fleet.publish(release);
  const ended = await bounded(fleet, `${version} to come to an end`, signal, untilEnded(fleet, rollout));
  const seconds = Math.round((Date.now() - beganMs) / 100) / 10;
  const truth = await Promise.all(fleet.nodes.map((node) => truthOf(fleet, node)));
  watch.end();
  const tried = fleet.log.reports(rollout).filter(({ status }) => status === 'updating');
  return {
    version,
    ended,
    wasHalted: fleet.log
      .events()
      .some((event) => event.name === 'rollout-halted' && event.rollout === rollout),
    attempted: new Set(tried.map(({ node }) => node)).size,
    seconds,
    maxUnavailableSeen: watch.takeMostOut(),
    truth,
  };
}

function untilEnded(fleet: Fleet, rollout: number): Promise<EventName> {
  return fleet.log.until((entry) =>
    entry.kind === 'event' && entry.event.rollout === rollout && ENDS.includes(entry.event.name)
      ? entry.event.name
      : undefined,
  );
}

/** The engine's word: what runs, and what it answers. */
async function truthOf(fleet: Fleet, node: FleetNode): Promise<NodeTruth> {
  const containers = await fleet.containersOn(node);
  const digests: readonly (readonly Digest[])[] = containers
    .filter(({ running }) => running)
    .map((container) => container.digests);
  // Where nothing is published, there is nobody to ask.
  if (node.port === undefined) return { node: node.name, digests };
  return { node: node.name, digests, serves: (await fleet.serving(node)) ?? '' };
}

/** What comes of it; fails, and keeps the logs, where it does not come in time or a program has died meanwhile. */
export async function bounded<Value>(
  fleet: Fleet,
  what: string,
  signal: AbortSignal,
  value: Promise<Value>,
): Promise<Value> {
  const late = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await unlessAborted(fleet.whileAlive(value), AbortSignal.any([signal, late]));
  } catch (error) {
    if (signal.aborted) throw error;
    fleet.keepsLogs = true;
    const why = late.aborted ? `it did not come in ${PATIENCE_MS / 1_000} s` : (error as Error).message;
    throw new Error(`waited for ${what}: ${why} (logs: ${fleet.directory})`, { cause: error });
  }
}

/** As a shell would take it. */
export function commandLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
