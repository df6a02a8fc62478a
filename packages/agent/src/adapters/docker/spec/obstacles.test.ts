import { describe, expect, it } from 'vitest';
import type { ContainerState, InspectedContainer } from '../inspected.ts';
import { dependentsOn, obstacleIn, standingOf } from './obstacles.ts';

function container(
  state: Partial<ContainerState>,
  host: object = {},
  more: Partial<InspectedContainer> = {},
): InspectedContainer {
  return {
    Id: 'a'.repeat(64),
    Name: '/web',
    Image: 'sha256:x',
    State: { Status: 'exited', Running: false, ...state },
    Config: {},
    HostConfig: { RestartPolicy: { Name: 'always' }, ...host },
    NetworkSettings: {},
    ...more,
  };
}

describe('a container that does not run', () => {
  it.each<[string, InspectedContainer, 'broken' | undefined]>([
    ['was stopped by somebody, as Docker would have started it again', container({}), undefined],
    ['ended, and nobody wanted it again', container({}, { RestartPolicy: { Name: 'no' } }), undefined],
    ['runs in circles', container({ Status: 'restarting', Running: true, Restarting: true }), 'broken'],
    ['could not be started', container({ Error: 'port is already allocated' }), 'broken'],
    [
      'failed too often',
      container(
        { ExitCode: 1 },
        { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
        { RestartCount: 3 },
      ),
      'broken',
    ],
  ])('%s', (_, given, standing) => {
    expect(standingOf(given)).toBe(standing);
    expect(obstacleIn(given)).toBe(standing === undefined ? 'is stopped' : undefined);
  });
});

describe('the tenants of a container', () => {
  it('are those that live in one of its namespaces, by id or by name', () => {
    const landlord = container({});
    const tenant = (Id: string, host: object) => container({}, host, { Id });
    const others = [
      landlord,
      tenant('1', { NetworkMode: `container:${landlord.Id}` }),
      tenant('2', { PidMode: 'container:web' }),
      tenant('3', { IpcMode: `container:${'a'.repeat(12)}` }),
      tenant('4', { NetworkMode: 'container:other' }),
    ];
    expect(dependentsOn(landlord, others).map(({ Id }) => Id)).toEqual(['1', '2', '3']);
  });
});
