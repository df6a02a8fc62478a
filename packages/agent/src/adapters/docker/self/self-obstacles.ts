/** Why an agent's own container cannot have another one beside it for a while, in words for its operator. */

import { type InspectedContainer, shortId } from '../inspected.ts';
import { policyOf } from '../marks.ts';

/** An image that knows how to stand by, and in which way. */
export const STANDBY_LABEL = 'swell.agent.standby';
export const STANDBY_VERSION = '1';

const PORTS = ['SWELL_STATUS_PORT', 'SWELL_AGENT_CHECK_PORT'] as const;

/** @param stateDir what both agents have to share */
export function ownObstacleIn(container: InspectedContainer, stateDir: string): string | undefined {
  const { Config: config, HostConfig: host } = container;
  const ports = Object.keys(host.PortBindings ?? {});
  if (ports.length > 0) return `publishes ${ports.join(', ')}, which two agents cannot have at once`;
  const mode = host.NetworkMode ?? '';
  if ((mode === 'host' || mode.startsWith('container:')) && listens(config.Env ?? [])) {
    return 'listens in a network that is not its own: set SWELL_STATUS_PORT=0, or give it a network';
  }
  const fixed = Object.values(container.NetworkSettings.Networks ?? {}).some(({ IPAMConfig: wish }) =>
    Object.values(wish ?? {}).some((address) => address !== '' && address !== null),
  );
  if (fixed || (config.MacAddress ?? '') !== '')
    return 'has a fixed address, which two agents cannot have at once';
  if (policyOf(container).Name === 'no')
    return 'has the restart policy "no": killed in the middle, nobody would start it again';
  if (!isShared(container, stateDir))
    return `keeps ${stateDir} to itself: it has to be a volume, which the next agent shares`;
  const isNamed = (config.Env ?? []).some((entry) => entry.startsWith('SWELL_NODE='));
  if (!isNamed && config.Hostname === shortId(container.Id))
    return 'has no name for its node but its own id: set SWELL_NODE';
  return undefined;
}

/** Missing, the status port is 8080 and the agent check's nowhere. */
function listens(environment: readonly string[]): boolean {
  const [status = '8080', check = '0'] = PORTS.map((name) =>
    environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1),
  );
  return status !== '0' || check !== '0';
}

function isShared({ Mounts: mounts }: InspectedContainer, stateDir: string): boolean {
  return (mounts ?? []).some(
    ({ Type, Destination }) =>
      Type !== 'tmpfs' && (stateDir === Destination || stateDir.startsWith(`${Destination}/`)),
  );
}
