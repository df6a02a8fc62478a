/**
 * Why a service cannot be given another image as it stands, in words for its operator.
 */

import { hasStartError, type InspectedContainer, isUp, plainName, shortId } from '../inspected.ts';

/** How the old container stands before a swap: only these two are given another image. */
export type Standing = 'running' | 'broken';

/** What stands against a swap, from the container alone. */
export function obstacleIn(container: InspectedContainer): string | undefined {
  const labels = container.Config.Labels ?? {};
  const { State: state, HostConfig: host } = container;
  if (
    labels['com.docker.swarm.task.id'] !== undefined ||
    labels['com.docker.swarm.service.id'] !== undefined
  ) {
    return 'belongs to a Swarm service, which updates its own tasks';
  }
  if (host.AutoRemove === true) return 'was started with --rm: it would be gone as soon as it stops';
  if (state.Paused === true) return 'is paused';
  if (state.Dead === true) return 'is dead: Docker could not remove it';
  if (state.Status === 'created' && !hasStartError(state)) return 'was never started';
  return standingOf(container) === undefined ? 'is stopped' : undefined;
}

/** It does not run, and nothing speaks against leaving it so: somebody stopped it, or never started it. */
export function staysAsItIs(container: InspectedContainer): boolean {
  const { State: state, HostConfig: host } = container;
  const isIdle = state.Dead !== true && host.AutoRemove !== true && !isUp(state);
  return isIdle && standingOf(container) === undefined;
}

/**
 * Docker does not say who stopped a container. One that Docker itself would start again was stopped by a person; one
 * that Docker is starting again and again, gave up on, or could not start is broken, and may get the image that mends it.
 */
export function standingOf(container: InspectedContainer): Standing | undefined {
  const { State: state, HostConfig: host, RestartCount: restarts = 0 } = container;
  if (state.Restarting === true) return 'broken';
  if (isUp(state)) return 'running';
  if (hasStartError(state)) return 'broken';
  const policy = host.RestartPolicy ?? { Name: 'no' };
  const limit = policy.MaximumRetryCount ?? 0;
  const gaveUp = policy.Name === 'on-failure' && limit > 0 && restarts >= limit && state.ExitCode !== 0;
  return gaveUp ? 'broken' : undefined;
}

/** Can another one like it run beside it? Not where both would want the same host port or address. */
export function canRunTwice(container: InspectedContainer): boolean {
  const { HostConfig: host, Config: config, NetworkSettings: settings } = container;
  const isApart = !/^(?:host|container:.*)$/.test(host.NetworkMode ?? '');
  const publishes = Object.keys(host.PortBindings ?? {}).length > 0;
  const asksForAddress = Object.values(settings.Networks ?? {}).some(({ IPAMConfig }) =>
    Object.keys(IPAMConfig ?? {}).some((name) => name.endsWith('Address')),
  );
  const asksForMac = config.MacAddress !== undefined && config.MacAddress !== '';
  return isApart && !publishes && !asksForAddress && !asksForMac && standingOf(container) === 'running';
}

/** Containers that live in the old one's namespaces: they would hold dead ones afterwards. */
export function dependentsOn(
  container: InspectedContainer,
  others: readonly InspectedContainer[],
): readonly InspectedContainer[] {
  const names = [container.Id, shortId(container.Id), plainName(container.Name)];
  const modesOfTenants = new Set(names.map((name) => `container:${name}`));
  return others.filter(({ Id, HostConfig: host }) => {
    const modes = [host.NetworkMode, host.PidMode, host.IpcMode];
    return Id !== container.Id && modes.some((mode) => mode !== undefined && modesOfTenants.has(mode));
  });
}

/** The containers whose namespaces this one lives in, as it names them. */
export function landlordsOf({ HostConfig: host }: InspectedContainer): readonly string[] {
  const modes = [host.NetworkMode, host.PidMode, host.IpcMode].map((mode) => mode ?? '');
  const names = modes.filter((mode) => mode.startsWith('container:')).map((mode) => mode.slice(10));
  return [...new Set(names)];
}
