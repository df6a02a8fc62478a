import { describe, expect, it } from 'vitest';
import type { InspectedContainer } from '../inspected.ts';
import { ownObstacleIn } from './self-obstacles.ts';

const ID = 'c0ffee'.padEnd(64, '0');
const STATE = '/var/lib/swell';

function agent({
  config = {},
  host = {},
  networks = { bridge: {} },
  mounts = [{ Type: 'volume', Name: 'agent', Destination: STATE }],
}: {
  readonly config?: InspectedContainer['Config'];
  readonly host?: InspectedContainer['HostConfig'];
  readonly networks?: NonNullable<InspectedContainer['NetworkSettings']['Networks']>;
  readonly mounts?: NonNullable<InspectedContainer['Mounts']>;
}): InspectedContainer {
  return {
    Id: ID,
    Name: '/agent',
    Image: 'sha256:1',
    State: { Status: 'running', Running: true },
    Config: { Hostname: ID.slice(0, 12), Env: ['SWELL_NODE=n1'], ...config },
    HostConfig: { RestartPolicy: { Name: 'unless-stopped' }, NetworkMode: 'bridge', ...host },
    Mounts: mounts,
    NetworkSettings: { Networks: networks },
  };
}

const obstacle = (container: InspectedContainer): string | undefined => ownObstacleIn(container, STATE);

describe("an agent's own container", () => {
  it('can have another one beside it where both find their ports, their state and their name', () => {
    expect(obstacle(agent({}))).toBeUndefined();
    expect(obstacle(agent({ mounts: [{ Type: 'bind', Destination: '/var/lib' }] }))).toBeUndefined();
    const Env = ['SWELL_NODE=n1', 'SWELL_STATUS_PORT=0'];
    expect(obstacle(agent({ config: { Env }, host: { NetworkMode: 'host' } }))).toBeUndefined();
    expect(obstacle(agent({ config: { Hostname: 'n1', Env: [] } }))).toBeUndefined();
  });

  it.each([
    ['publishes 8080/tcp', agent({ host: { PortBindings: { '8080/tcp': [{ HostPort: '8080' }] } } })],
    ['listens in a network', agent({ host: { NetworkMode: 'host' } })],
    ['listens in a network', agent({ host: { NetworkMode: `container:${ID}` } })],
    ['has a fixed address', agent({ networks: { own: { IPAMConfig: { IPv4Address: '10.9.0.2' } } } })],
    ['has a fixed address', agent({ config: { MacAddress: '02:42:ac:11:00:02' } })],
    ['has the restart policy "no"', agent({ host: { RestartPolicy: { Name: '' } } })],
    [`keeps ${STATE} to itself`, agent({ mounts: [] })],
    [`keeps ${STATE} to itself`, agent({ mounts: [{ Type: 'tmpfs', Destination: STATE }] })],
    ['has no name for its node', agent({ config: { Env: [] } })],
  ])('cannot: it %s', (why, container) => {
    expect(obstacle(container)).toContain(why);
  });
});
