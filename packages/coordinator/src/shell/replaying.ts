/** Reads what the log holds of a rollout, and has it lived again, a little at a time: the leader leads meanwhile. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import { readStored } from '@swell/shared/adapters/reading.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { emptyRecord, type ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { readServiceRecord } from '@swell/shared/protocol/records.ts';
import {
  eventSubject,
  healthSubject,
  recordLogged,
  releaseSubject,
  STREAMS,
} from '@swell/shared/protocol/subjects.ts';
import { type ReplayAnswer, replayAnswer } from '../core/replay/answer.ts';
import { type KnownNode, Recorder, type Recording, type ReplayEnd } from '../core/replay/recording.ts';
import { replay } from '../core/replay/replay.ts';
import { policyUnder, type ServiceState } from '../core/state.ts';
import { RefusalError } from './micro-server.ts';
import type { Territory } from './territory.ts';
import { translateRelease } from './translate.ts';

export interface ReplayingOptions {
  readonly territory: Territory;
  readonly bus: Bus;
  readonly host: Host;
  readonly signal: AbortSignal;
}

/** After so long everybody else has a turn. */
const SLICE_MS = 20;

/** Throws a {@link RefusalError} where there is nothing to replay. */
export async function answerReplay(
  options: ReplayingOptions,
  state: ServiceState,
  { rollout, policy }: { readonly rollout: number; readonly policy: PolicyLayer },
): Promise<ReplayAnswer> {
  const { host, signal } = options;
  const recording = await readRecording(options, state, rollout);
  const life = replay(recording, policy);
  let sliceMs = host.monotonicMs();
  for (;;) {
    const next = life.next();
    if (next.done === true) {
      const record = { ...recording.before, policy: { sequence: 0, storedAtMs: 0, layer: policy } };
      const { intent } = recording;
      return replayAnswer(recording, next.value, policyUnder(record, intent.overrides, intent));
    }
    if (host.monotonicMs() - sliceMs < SLICE_MS) continue;
    await host.sleep(1, signal);
    sliceMs = host.monotonicMs();
  }
}

async function readRecording(
  { bus, territory }: ReplayingOptions,
  state: ServiceState,
  rollout: number,
): Promise<Recording> {
  const { service } = state;
  const saved = recordLogged(service, territory.scope);
  const { at, intent } = await readRelease(bus, service, rollout);
  const recorder = new Recorder(rollout);
  let before: ServiceRecord = emptyRecord(service);
  let digest: Digest | undefined;
  const subjects = [healthSubject('*', service, '*'), eventSubject(service, '*'), saved];
  for await (const message of readStored(bus, STREAMS.log, subjects)) {
    const entry = readLogEntry(message);
    if (entry !== undefined && isOfOurs(entry, territory)) recorder.hear(entry);
    if (message.subject !== saved || digest !== undefined) continue;
    const record = readServiceRecord(message.body, service);
    if (!record.ok) continue;
    if (record.value.releasesTaken.sequence < rollout) before = record.value;
    digest = digestIn(record.value, rollout);
  }
  if (digest === undefined)
    throw new RefusalError(404, `rollout: ${whyUnknown(state, rollout, recorder.end)}`);
  const known = [...state.census.values()].flatMap((nodes): KnownNode[] => [...nodes.values()]);
  return { at, intent, digest, before, nodes: recorder.nodes(known), as: recorder.end };
}

/** There is nothing to live again of what never began, nor of what the log has forgotten. */
function whyUnknown(
  { record }: ServiceState,
  rollout: number,
  { outcome, reason = outcome }: ReplayEnd,
): string {
  if (outcome !== 'under way') return `release ${rollout} never began: ${reason}`;
  return record.candidate?.rollout === rollout || record.releasesTaken.sequence < rollout
    ? `release ${rollout} has not begun`
    : `the log does not tell what the image of release ${rollout} was: it reaches back 30 days`;
}

/** What nodes of other scopes say is not this leader's, nor what their leaders tell. */
function isOfOurs(entry: LogEntry, { scope, isOurs }: Territory): boolean {
  if (entry.kind === 'report') return isOurs(entry.report.region);
  return entry.kind !== 'event' || entry.event.scope === scope;
}

async function readRelease(bus: Bus, service: ServiceName, rollout: number) {
  for await (const message of readStored(bus, STREAMS.releases, releaseSubject(service), rollout)) {
    if (message.sequence !== rollout) break;
    const { event } = translateRelease(message);
    if (event.kind !== 'release-published') break;
    if (!event.release.ok)
      throw new RefusalError(
        409,
        `rollout: release ${rollout} was none: ${event.release.problems.join('; ')}`,
      );
    return { at: event.at, intent: event.release.value };
  }
  throw new RefusalError(
    404,
    `rollout: ${rollout} is no release of ${service}: swell history ${service} shows them`,
  );
}

function digestIn({ rollout, candidate }: ServiceRecord, wanted: number): Digest | undefined {
  if (rollout?.release.rollout === wanted) return rollout.release.image.digest;
  return candidate?.rollout === wanted ? candidate.digest : undefined;
}
