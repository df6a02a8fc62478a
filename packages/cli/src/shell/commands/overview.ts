/** Every service and how its rollout stands, without the nodes: one line each. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { readServiceRecord } from '@swell/shared/protocol/records.ts';
import {
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
  const records = await bus.readLastOfEach(STREAMS.rollouts, [ALL_ROLLOUTS, allRollouts('*')]);
  const services = records
    .filter(({ deleted }) => !deleted)
    .map(({ subject, body }) => overviewOf(lastToken(subject), scopeOfRecord(subject), body))
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

function overviewOf(service: string, scope: Scope | undefined, body: Uint8Array): Overview {
  const place = { service, ...(scope !== undefined && { scope }) };
  const record = readServiceRecord(body, service);
  if (!record.ok) return { ...place, phase: 'unreadable', paused: false, reason: record.problems.join('; ') };
  const sightings = new Sightings(service);
  sightings.see({ kind: 'record', record: record.value });
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
