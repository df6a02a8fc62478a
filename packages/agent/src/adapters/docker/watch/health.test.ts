import { describe, expect, it } from 'vitest';
import type { ContainerState, Endpoint, InspectedContainer } from '../inspected.ts';
import { addressOf, judgeAutomatically, judgeHealthcheck, notRunning } from './health.ts';

const STARTED = Date.parse('2025-01-01T00:00:00Z');
const RUNNING: ContainerState = { Status: 'running', Running: true, StartedAt: '2025-01-01T00:00:00Z' };

function container(
  state: ContainerState,
  more: {
    readonly restarts?: number;
    readonly mode?: string;
    readonly networks?: Record<string, Endpoint>;
  } = {},
): InspectedContainer {
  return {
    Id: 'id',
    Name: '/web',
    Image: 'sha256:x',
    RestartCount: more.restarts ?? 0,
    State: state,
    Config: {},
    HostConfig: { NetworkMode: more.mode ?? 'front' },
    NetworkSettings: { Networks: more.networks ?? {} },
  };
}

describe('without a HEALTHCHECK', () => {
  it('a container that runs is well, one that restarted of late is not', () => {
    expect(judgeAutomatically(container(RUNNING), STARTED)).toEqual({ healthy: true, seen: 'running' });
    const restarted = container(RUNNING, { restarts: 3 });
    expect(judgeAutomatically(restarted, STARTED + 10_000)).toEqual({
      healthy: false,
      seen: 'running, after 3 restarts',
    });
    expect(judgeAutomatically(restarted, STARTED + 600_000)).toMatchObject({ healthy: true });
  });

  it('has ended only where Docker will not start it again', () => {
    expect(notRunning(container(RUNNING))).toBeUndefined();
    expect(notRunning(container({ Status: 'exited', Running: false, ExitCode: 3 }))).toEqual({
      healthy: false,
      seen: 'the container is exited (exit code 3)',
      ended: true,
    });
    const restarting = { Status: 'restarting', Running: true, Restarting: true, ExitCode: 1 };
    expect(notRunning(container(restarting))).toEqual({
      healthy: false,
      seen: 'the container is restarting (exit code 1)',
    });
  });
});

describe('with a HEALTHCHECK', () => {
  it('its word counts', () => {
    const Log = [{ ExitCode: 1, Output: 'connection refused\n' }];
    const unwell = container({ ...RUNNING, Health: { Status: 'unhealthy', Log } });
    expect(judgeAutomatically(unwell, STARTED)).toEqual({
      healthy: false,
      seen: 'HEALTHCHECK unhealthy: connection refused',
    });
    expect(judgeHealthcheck(container(RUNNING))).toMatchObject({ healthy: false });
  });
});

describe('the address', () => {
  it('is of the network that the container was created in, then of any other', () => {
    const networks = { back: { IPAddress: '10.0.0.2' }, front: { IPAddress: '10.0.1.2' } };
    expect(addressOf(container(RUNNING, { networks }))).toEqual({ host: '10.0.1.2' });
    expect(addressOf(container(RUNNING, { networks, mode: 'gone' }))).toEqual({ host: '10.0.0.2' });
    const six = { front: { IPAddress: '', GlobalIPv6Address: 'fd00::2' } };
    expect(addressOf(container(RUNNING, { networks: six }))).toEqual({ host: 'fd00::2' });
  });

  it('is the machine’s, another container’s, or there is none', () => {
    expect(addressOf(container(RUNNING, { mode: 'host' }))).toEqual({ host: '127.0.0.1' });
    expect(addressOf(container(RUNNING, { mode: 'container:abc' }))).toEqual({ parent: 'abc' });
    expect(addressOf(container(RUNNING, { mode: 'none' }))).toBeUndefined();
  });
});
