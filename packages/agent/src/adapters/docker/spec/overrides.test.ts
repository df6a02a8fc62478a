import { describe, expect, it } from 'vitest';
import type { ContainerConfig } from '../inspected.ts';
import { overlay, overridesOf } from './overrides.ts';

const IMAGE: ContainerConfig = {
  Env: ['PATH=/bin', 'MODE=plain', 'LAST=1'],
  Entrypoint: ['/entry'],
  Cmd: ['serve'],
  Labels: { made: 'here' },
  Volumes: { '/data': {} },
  ExposedPorts: { '80/tcp': {} },
  User: 'web',
  WorkingDir: '/srv',
  StopSignal: 'SIGQUIT',
  Healthcheck: { Test: ['CMD', 'ask'], Interval: 5, Retries: 3 },
};

/** What Docker shows of a container of `image` that was created with these wishes. */
const shown = (wishes: ContainerConfig, image = IMAGE): ContainerConfig => ({
  ...overlay(wishes, image),
  ...(wishes.Entrypoint?.length === 0 && { Entrypoint: [] }),
});

describe('the overrides of a container', () => {
  it('are none where everything came from the image', () => {
    expect(overridesOf(shown({}), IMAGE)).toEqual({});
  });

  it.each<[string, ContainerConfig]>([
    ['a changed and a new variable', { Env: ['MODE=fancy', 'TOKEN=1'] }],
    ['a variable that is to be unset', { Env: ['MODE'] }],
    ['another command', { Cmd: ['serve', '--fast'] }],
    ['another entrypoint, without a command', { Entrypoint: ['/other'] }],
    ['another entrypoint and command', { Entrypoint: ['/other'], Cmd: ['x'] }],
    ['an entrypoint that is taken away', { Entrypoint: [''], Cmd: ['/bin/serve'] }],
    ['the same entrypoint, but no command', { Entrypoint: ['/entry'] }],
    ['an emptied entrypoint, as Compose sends it', { Entrypoint: [] }],
    ['a variable as the image has it', { Env: ['MODE=plain'] }],
    ['another label', { Labels: { made: 'there', more: '1' } }],
    ['a volume and a port', { Volumes: { '/more': {} }, ExposedPorts: { '81/tcp': {} } }],
    ['a user, a folder, a signal', { User: '0', WorkingDir: '/', StopSignal: 'SIGTERM' }],
    ['a health check', { Healthcheck: { Test: ['CMD', 'other'], Timeout: 9 } }],
    ['one field of a health check', { Healthcheck: { Interval: 60 } }],
    ['no health check', { Healthcheck: { Test: ['NONE'] } }],
    ['what no image has', { Hostname: 'named', Tty: true, StopTimeout: 30 }],
  ])('are just %s', (_, wishes) => {
    expect(overridesOf(shown(wishes), IMAGE)).toEqual(wishes);
  });

  it('lie over another image as they lay over the first', () => {
    const next: ContainerConfig = { ...IMAGE, Env: ['PATH=/usr/bin', 'MODE=plain'], Cmd: ['serve', 'v2'] };
    const wishes: ContainerConfig = { Env: ['MODE=fancy'], Labels: { own: '1' } };
    expect(overlay(overridesOf(shown(wishes), IMAGE), next)).toMatchObject({
      Env: ['MODE=fancy', 'PATH=/usr/bin'],
      Cmd: ['serve', 'v2'],
      Labels: { made: 'here', own: '1' },
    });
  });

  it('take no health check from the image where the container has none', () => {
    const { Healthcheck: _, ...without } = shown({});
    expect(overridesOf(without, IMAGE)).toEqual({ Healthcheck: { Test: ['NONE'] } });
  });
});
