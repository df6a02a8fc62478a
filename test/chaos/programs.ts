/** The programs that are proved: two coordinators as they are, and the agents, several in a process. */

import { join } from 'node:path';
import { root } from '../../scripts/setup/places.ts';
import type { DockerRegistry } from '../support/docker-registry.ts';
import type { HostConfig } from './agent-host.ts';
import { type Cluster, SERVERS } from './cluster.ts';
import { type Machines, type NodePlace, REGIONS } from './machines.ts';
import type { Network } from './network.ts';
import { Resident } from './resident.ts';

export const COORDINATORS = ['c0', 'c1'] as const;
export const HOSTS = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'] as const;

const COORDINATOR_LEASE_MS = 5_000;
const PULSE_EVERY_MS = 1_000;

interface Surroundings {
  readonly network: Network;
  readonly directory: string;
  readonly places: readonly NodePlace[];
  readonly registry: DockerRegistry;
  readonly cluster: Cluster;
  readonly machines: Machines;
}

export function coordinatorsOf({ network, directory, registry, cluster }: Surroundings): readonly Resident[] {
  return COORDINATORS.map(
    (name) =>
      new Resident(name, {
        place: network.place(name),
        command: [process.execPath, join(root, 'packages', 'coordinator', 'src', 'main.ts')],
        environment: {
          SWELL_NAME: name,
          SWELL_NATS_SERVERS: cluster.urls.join(','),
          SWELL_NATS_REPLICAS: String(SERVERS.length),
          SWELL_LEASE_MS: String(COORDINATOR_LEASE_MS),
          SWELL_PULSE_EVERY_MS: String(PULSE_EVERY_MS),
          SWELL_INSECURE_REGISTRIES: registry.host,
          SWELL_STATUS_HOST: '127.0.0.1',
          SWELL_STATUS_PORT: '0',
        },
        logFile: join(directory, `${name}.log`),
      }),
  );
}

/** The agents' processes, each with nodes of every region; as many as there are nodes for. */
export function hostsOf({
  network,
  directory,
  places,
  cluster,
  machines,
}: Surroundings): readonly Resident[] {
  const hostOf = (index: number): string =>
    HOSTS[Math.floor(index / REGIONS.length) % HOSTS.length] ?? HOSTS[0];
  const nodesOf = Map.groupBy(places.entries(), ([index]) => hostOf(index));
  return [...nodesOf].map(([name, nodes]) => {
    const config: HostConfig = {
      nodes: nodes.map(([, place]) => place),
      servers: cluster.urls,
      socket: machines.socket,
      stateDir: join(directory, 'nodes'),
    };
    return new Resident(name, {
      place: network.place(name),
      command: [process.execPath, join(import.meta.dirname, 'agent-host.ts'), JSON.stringify(config)],
      logFile: join(directory, `${name}.log`),
    });
  });
}
