/** A fleet of three nodes behind one HAProxy, and the policies that fit the configuration that we ship. */

import type { Fleet, FleetOptions } from '../../fleet/fleet.ts';
import { QUICK } from '../../fleet/scenario.ts';
import { WEB_PORT } from '../docker.ts';
import { freePorts } from '../ports.ts';
import type { NodePorts } from './haproxy.ts';
import { buildWebImage } from './web-image.ts';

const REGION = 'eu-west';
const NODES = 3;
/** What HAProxy calls them. */
export const SERVERS: readonly string[] = ['node-1', 'node-2', 'node-3'];

/** Without a drain: as the defaults are. HAProxy's own check (rise 2, every second) is through before a slot is freed. */
export const UNDRAINED = {
  ...QUICK,
  stages: [100],
  health: { ...QUICK.health, minHealthyTime: '2500ms' },
} as const;
/** Told once, for the agent check is heard at once; then until nothing is in flight. */
export const BY_AGENT_CHECK = {
  ...UNDRAINED,
  drain: { checks: 1, time: '1s', max: '20s', inFlight: { port: WEB_PORT, path: '/busy' } },
  rejoin: { checks: 2, max: '20s' },
} as const;
/** Not heard before the third time. Far longer than any request takes, also on a busy machine. */
export const BY_HTTP = {
  ...BY_AGENT_CHECK,
  drain: { checks: 3, time: '2s', max: '20s' },
} as const;

export interface BalancedFleet {
  readonly options: FleetOptions;
  /** Where the nodes of a fleet with these options are asked. */
  readonly portsOf: (fleet: Fleet) => readonly NodePorts[];
}

export async function balancedFleet(): Promise<BalancedFleet> {
  const ports = await freePorts(2 * NODES);
  const asked = Array.from({ length: NODES }, (_, index) => ({
    status: ports[2 * index] ?? 0,
    agentCheck: ports[2 * index + 1] ?? 0,
  }));
  const environments = asked.map(({ status, agentCheck }, index) => [
    `${REGION}-${index + 1}`,
    { SWELL_STATUS_PORT: `${status}`, SWELL_AGENT_CHECK_PORT: `${agentCheck}` },
  ]);
  return {
    options: {
      regions: { [REGION]: NODES },
      publishesPorts: true,
      buildImage: buildWebImage,
      environments: Object.fromEntries(environments),
    },
    portsOf: (fleet) => asked.map((places, index) => ({ ...places, service: fleet.nodes[index]?.port ?? 0 })),
  };
}
