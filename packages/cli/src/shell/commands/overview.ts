/** Every service and how its rollout stands, without the nodes: one line each. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import { isName } from '@swell/shared/domain/names.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { readServiceRecord } from '@swell/shared/protocol/records.ts';
import {
  ALL_RELEASES,
  ALL_ROLLOUTS,
  allRollouts,
  lastToken,
  STREAMS,
  scopeOfRecord,
} from '@swell/shared/protocol/subjects.ts';
import { row, table } from '../../core/rows.ts';
import { Sightings } from '../../core/sightings.ts';
import { EXIT, type ExitCode, summarize } from '../../core/status.ts';
import type { Context } from '../command.ts';

export async function printOverview(bus: Bus, print: Context['print']): Promise<ExitCode> {
  const [stored, releases] = await Promise.all([
    bus.readLastOfEach(STREAMS.rollouts, [ALL_ROLLOUTS, allRollouts('*')]),
    bus.readLastOfEach(STREAMS.releases, [ALL_RELEASES]),
  ]);
  const records = stored.filter(({ deleted }) => !deleted);
  const recorded = new Set(records.map(({ subject }) => lastToken(subject)));
  const published = new Map(releases.map(({ subject, sequence }) => [lastToken(subject), sequence]));
  const unrecorded = [...published.keys()].filter((service) => isName(service) && !recorded.has(service));
  const services = [
    ...records.map(({ subject, body }) =>
      overviewOf(lastToken(subject), published, { scope: scopeOfRecord(subject), body }),
    ),
    ...unrecorded.map((service) => overviewOf(service, published)),
  ]
    // All that was ever released there was refused: whoever mistypes a name makes no service.
    .filter(({ phase }) => phase !== 'none')
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const hasScopes = services.some(({ scope }) => scope !== undefined);
  const lines = services.map(({ service, scope, rollout, version, phase, paused, reason }) => [
    service,
    ...(hasScopes ? [scope ?? ''] : []),
    rollout === undefined ? '' : String(rollout),
    version ?? '',
    paused ? `${phase}, paused` : phase,
    reason ?? '',
  ]);
  print(
    { services },
    services.length === 0
      ? [row('nothing was released yet: swell release <service> <image>')]
      : table(['SERVICE', ...(hasScopes ? ['SCOPE'] : []), 'ROLLOUT', 'VERSION', 'PHASE', 'REASON'], lines),
  );
  return EXIT.done;
}

function keyOf({ service, scope = '' }: Overview): string {
  return `${service} ${scope}`;
}

interface Overview {
  readonly service: string;
  /** Missing: the global one. */
  readonly scope?: Scope;
  /** `unreadable`: the record does not parse, and the reason says why. */
  readonly phase: string;
  readonly paused: boolean;
  readonly rollout?: number;
  readonly version?: string;
  readonly reason?: string;
}

/** @param stored its record, if it has one */
function overviewOf(
  service: string,
  published: ReadonlyMap<string, number>,
  stored?: { readonly scope: Scope | undefined; readonly body: Uint8Array },
): Overview {
  const place = { service, ...(stored?.scope !== undefined && { scope: stored.scope }) };
  const record = stored && readServiceRecord(stored.body, service);
  if (record?.ok === false)
    return { ...place, phase: 'unreadable', paused: false, reason: record.problems.join('; ') };
  const sightings = new Sightings(service);
  if (record !== undefined) sightings.see({ kind: 'record', record: record.value });
  sightings.see({ kind: 'release', rollout: published.get(service) ?? 0 });
  const { phase, paused, rollout, version, reason } = summarize(sightings);
  return {
    ...place,
    phase,
    paused,
    ...(rollout !== undefined && { rollout }),
    ...(version !== undefined && { version }),
    ...(reason !== undefined && { reason }),
  };
}
