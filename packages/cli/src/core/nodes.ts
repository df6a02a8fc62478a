/** Who is there: one line for each node and service. */

import { shortDigest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { Presence, ServicePresence } from '@swell/shared/domain/report.ts';
import { type Row, table } from './rows.ts';

export interface NodeLine extends Partial<ServicePresence> {
  readonly region: Region;
  readonly node: NodeId;
  readonly agentVersion: string;
  /** Missing of a node that runs none. */
  readonly service?: ServiceName;
}

/** @param wanted one service alone; a node that does not run it has no line then */
export function linesOfNode(presence: Presence, wanted?: ServiceName): readonly NodeLine[] {
  const { region, node, agentVersion, services } = presence;
  const entries = Object.entries(services).filter(([service]) => wanted === undefined || service === wanted);
  if (entries.length === 0) return wanted === undefined ? [{ region, node, agentVersion }] : [];
  return entries.map(([service, it]) => ({ region, node, agentVersion, service, ...it }));
}

export function drawNodes(lines: readonly NodeLine[]): readonly Row[] {
  return table(
    ['REGION', 'NODE', 'SERVICE', 'RUNS', 'PHASE', 'READY', 'REASON'],
    lines.map(({ region, node, service = '', running, version, phase = '', ready, reason = '' }) => [
      region,
      node,
      service,
      version ?? (running === undefined ? '' : shortDigest(running)),
      phase,
      ready === undefined ? '' : ready ? 'yes' : 'no',
      reason,
    ]),
  );
}
