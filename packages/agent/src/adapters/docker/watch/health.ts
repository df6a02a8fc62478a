/**
 * What Docker itself knows of a container's health, and where its ports are reached.
 */

import type { ProbeOutcome } from '../../../core/container.ts';
import type { InspectedContainer } from '../inspected.ts';

/** Longer than Docker waits between two restarts, so that a container running in circles does not pass in between. */
const STEADY_AFTER_MS = 90_000;

/** Docker's own HEALTHCHECK. */
export function judgeHealthcheck({ State: state }: InspectedContainer): ProbeOutcome {
  const { Health: health } = state;
  if (health === undefined || health === null || health.Status === 'none' || health.Status === '') {
    return { healthy: false, seen: 'the container has no HEALTHCHECK' };
  }
  const said = health.Log?.at(-1)?.Output.trim().slice(0, 200) ?? '';
  return {
    healthy: health.Status === 'healthy',
    seen: `HEALTHCHECK ${health.Status}${said === '' ? '' : `: ${said}`}`,
  };
}

/** Docker's HEALTHCHECK where the container has one, else: it runs, and has not restarted of late. */
export function judgeAutomatically(container: InspectedContainer, nowMs: number): ProbeOutcome {
  if (hasHealthcheck(container)) return judgeHealthcheck(container);
  const { State: state, RestartCount: restarts = 0 } = container;
  const runningForMs = nowMs - Date.parse(state.StartedAt ?? '');
  const steady = restarts === 0 || runningForMs >= STEADY_AFTER_MS;
  return { healthy: steady, seen: steady ? 'running' : `running, after ${restarts} restarts` };
}

/** Why a container cannot be asked at all; one that Docker will not start again has ended. */
export function notRunning({ State: state }: InspectedContainer): ProbeOutcome | undefined {
  const exitCode = `exit code ${state.ExitCode ?? '?'}`;
  if (state.Restarting === true) return { healthy: false, seen: `the container is restarting (${exitCode})` };
  if (state.Paused === true) return { healthy: false, seen: 'the container is paused' };
  if (state.Running) return undefined;
  return { healthy: false, seen: `the container is ${state.Status} (${exitCode})`, ended: true };
}

/** The container's own address; `{ parent }`: it has none but another container's. */
export function addressOf(
  container: InspectedContainer,
): { readonly host: string } | { readonly parent: string } | undefined {
  const mode = container.HostConfig.NetworkMode ?? '';
  if (mode === 'host') return { host: '127.0.0.1' };
  if (mode.startsWith('container:')) return { parent: mode.slice('container:'.length) };
  const networks = Object.entries(container.NetworkSettings.Networks ?? {});
  // The network that the container was created in comes first; the rest were connected later.
  networks.sort(([a], [b]) => Number(b === mode) - Number(a === mode));
  for (const [, { IPAddress, GlobalIPv6Address }] of networks) {
    const host = [IPAddress, GlobalIPv6Address].find((address) => address !== undefined && address !== '');
    if (host !== undefined) return { host };
  }
  return undefined;
}

function hasHealthcheck({ State: state, Config: config }: InspectedContainer): boolean {
  if (config.Healthcheck?.Test?.[0] === 'NONE') return false;
  const status = state.Health?.Status;
  return status !== undefined && status !== 'none' && status !== '';
}
