import { describe, expect, it } from 'vitest';
import type { InspectedContainer } from '../inspected.ts';
import { carriedSpec, createBody, differences, expectedSpec, freshVolumes, seenSpec } from './spec.ts';

const OLD_ID = `${'a'.repeat(12)}${'0'.repeat(52)}`;
const NEW_ID = `${'b'.repeat(12)}${'0'.repeat(52)}`;

function container(changes: {
  readonly id?: string;
  readonly config?: object;
  readonly host?: object;
  readonly networks?: InspectedContainer['NetworkSettings']['Networks'];
  readonly mounts?: InspectedContainer['Mounts'];
}): InspectedContainer {
  const { id = OLD_ID } = changes;
  return {
    Id: id,
    Name: '/web',
    Image: 'sha256:old',
    State: { Status: 'running', Running: true },
    Config: { Hostname: id.slice(0, 12), Env: [], Labels: {}, ...changes.config },
    HostConfig: { NetworkMode: 'front', Binds: null, Links: null, ...changes.host },
    NetworkSettings: { Networks: changes.networks ?? { front: {} } },
    Mounts: changes.mounts ?? [],
  };
}

describe('what is carried over', () => {
  it('leaves Docker its own host name, and its own address', () => {
    const networks = {
      front: { IPAMConfig: null, Aliases: ['web', 'a'.repeat(12)], NetworkID: 'f1', IPAddress: '10.0.0.7' },
    };
    const spec = carriedSpec(container({ networks }), {});
    expect(spec.config).toEqual({});
    expect(createBody(spec).NetworkingConfig).toEqual({ EndpointsConfig: { front: { Aliases: ['web'] } } });
  });

  it('keeps a host name, a static address and the options of a network that somebody gave', () => {
    const endpoint = { IPAMConfig: { IPv4Address: '10.0.0.7' }, DriverOpts: { mtu: '1400' }, GwPriority: 5 };
    const spec = carriedSpec(container({ config: { Hostname: 'web-1' }, networks: { front: endpoint } }), {});
    expect(createBody(spec)).toMatchObject({
      Hostname: 'web-1',
      NetworkingConfig: { EndpointsConfig: { front: endpoint } },
    });
  });

  it.each(['host', 'none', 'container:abc'])('asks for no network under network mode %s', (mode) => {
    const shared = container({ config: { Hostname: 'of-somebody' }, host: { NetworkMode: mode } });
    const spec = carriedSpec(shared, {});
    expect(spec.networks).toEqual({});
    expect(createBody(spec).NetworkingConfig).toBeUndefined();
  });

  it.each([
    ['the host', { NetworkMode: 'host', UTSMode: 'host' }],
    ['another container', { NetworkMode: 'container:abc' }],
  ])('takes no name along that was borrowed from %s', (_, host) => {
    const borrowing = container({ config: { Hostname: 'of-somebody' }, host });
    expect(carriedSpec(borrowing, {}).config).toEqual({});
  });

  it('keeps the name that a container has in the network of the host, which may be its own', () => {
    const own = container({ config: { Hostname: 'web-1' }, host: { NetworkMode: 'host' } });
    expect(carriedSpec(own, {}).config).toEqual({ Hostname: 'web-1' });
  });

  it('leaves behind the volumes that it is told to', () => {
    const mounts = [
      { Type: 'volume', Name: 'v1', Destination: '/data', RW: true },
      { Type: 'volume', Name: 'v2', Destination: '/brought', RW: true },
    ];
    expect(carriedSpec(container({ mounts }), {}, new Set(['/brought'])).host.Binds).toEqual(['v1:/data']);
  });

  it('names one network at create, the one that Docker was given by name or by id', () => {
    const networks = { back: { NetworkID: 'b1' }, front: { NetworkID: 'f1f1' } };
    const spec = carriedSpec(container({ host: { NetworkMode: 'f1f1' }, networks }), {});
    expect(createBody(spec).NetworkingConfig).toEqual({ EndpointsConfig: { front: {} } });
  });

  it('carries anonymous volumes by name, wherever they were asked for', () => {
    const mounts = [
      { Type: 'volume', Name: 'v1', Destination: '/data', RW: true },
      { Type: 'volume', Name: 'v2', Destination: '/ro', RW: false },
      { Type: 'volume', Name: 'v3', Destination: '/asked', RW: true },
      { Type: 'volume', Name: 'named', Destination: '/named', RW: true },
      { Type: 'bind', Source: '/srv', Destination: '/srv', RW: true },
    ];
    const host = {
      Binds: ['named:/named', '/srv:/srv'],
      Mounts: [{ Type: 'volume', Target: '/asked', VolumeOptions: { NoCopy: true } }],
    };
    expect(carriedSpec(container({ host, mounts }), {}).host).toMatchObject({
      Binds: ['named:/named', '/srv:/srv', 'v1:/data', 'v2:/ro:ro'],
      Mounts: [{ Type: 'volume', Source: 'v3', Target: '/asked', VolumeOptions: { NoCopy: true } }],
    });
  });

  it('exposes every port that is bound, even where the image exposes it too', () => {
    const host = { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } };
    const spec = carriedSpec(container({ config: { ExposedPorts: { '80/tcp': {}, '81/tcp': {} } }, host }), {
      ExposedPorts: { '80/tcp': {}, '81/tcp': {} },
    });
    expect(spec.config.ExposedPorts).toEqual({ '80/tcp': {} });
  });

  it('writes links as they were asked for', () => {
    const spec = carriedSpec(container({ host: { Links: ['/db:/web/database', '/cache:/web/cache'] } }), {});
    expect(spec.host.Links).toEqual(['cache:cache', 'db:database']);
  });

  it('keeps the network of Docker itself under its other name', () => {
    const networks = { bridge: { DriverOpts: { a: '1' } } };
    const spec = carriedSpec(container({ host: { NetworkMode: 'default' }, networks }), {});
    expect(createBody(spec).NetworkingConfig).toEqual({
      EndpointsConfig: { bridge: { DriverOpts: { a: '1' } } },
    });
  });

  it('leaves behind the marks of an earlier swap, and what Compose knows of the image', () => {
    const Labels = {
      mine: '1',
      'swell.service': 'web',
      'swell.swap.attempt': '6.update.1',
      'swell.last-good.image-id': 'sha256:old',
      'com.docker.compose.project': 'shop',
      'com.docker.compose.image': 'sha256:old',
      'com.docker.compose.replace': 'other',
    };
    expect(carriedSpec(container({ config: { Labels } }), {}).config.Labels).toEqual({
      mine: '1',
      'swell.service': 'web',
      'com.docker.compose.project': 'shop',
    });
  });
});

describe('a MAC address', () => {
  const GIVEN = '02:42:0a:0a:0a:0b';
  const CHOSEN = 'f6:28:ea:e3:77:33';
  /** As Engine 28 shows a container on two networks; the one that somebody gave for the main one stands in Config. */
  const shownSince = (config: object, settings: object) => {
    const networks = {
      front: { MacAddress: GIVEN, DNSNames: ['web', 'a'.repeat(12)], IPAddress: '10.0.1.7' },
      back: { MacAddress: CHOSEN, DNSNames: ['web', 'a'.repeat(12)], IPAddress: '10.0.2.7' },
    };
    const { NetworkSettings, ...rest } = container({ config, networks });
    return { ...rest, NetworkSettings: { ...NetworkSettings, ...settings } };
  };
  const endpointsOf = (shown: InspectedContainer) => createBody(carriedSpec(shown, {})).NetworkingConfig;

  it('is the container’s below API 1.44, where one network goes with the creation', () => {
    const networks = { front: { MacAddress: GIVEN }, back: { MacAddress: '02:42:0a:00:02:07' } };
    const body = createBody(carriedSpec(container({ config: { MacAddress: GIVEN }, networks }), {}));
    expect(body.MacAddress).toBe(GIVEN);
    expect(body.NetworkingConfig).toEqual({ EndpointsConfig: { front: {} } });
  });

  it('goes with its network from API 1.44 on, and all networks with the creation', () => {
    const shown = shownSince({ MacAddress: GIVEN }, { MacAddress: GIVEN });
    expect(endpointsOf(shown)).toEqual({
      EndpointsConfig: { front: { MacAddress: GIVEN }, back: { MacAddress: CHOSEN } },
    });
    expect(createBody(carriedSpec(shown, {})).MacAddress).toBeUndefined();
  });

  it('of the main network is Docker’s to choose again where nobody gave one, as long as Docker tells', () => {
    expect(endpointsOf(shownSince({}, { MacAddress: GIVEN }))).toEqual({
      EndpointsConfig: { front: {}, back: { MacAddress: CHOSEN } },
    });
  });

  it('is kept where Docker does not tell any more: API 1.52', () => {
    expect(endpointsOf(shownSince({}, {}))).toEqual({
      EndpointsConfig: { front: { MacAddress: GIVEN }, back: { MacAddress: CHOSEN } },
    });
  });

  it('that is made of the address is Docker’s to choose again', () => {
    const networks = { front: { MacAddress: '02:42:0a:00:01:07', DNSNames: null, IPAddress: '10.0.1.7' } };
    expect(endpointsOf(container({ networks }))).toEqual({ EndpointsConfig: { front: {} } });
  });
});

describe('the proof', () => {
  const oldImage = { Env: ['V=1'], Cmd: ['run'] };
  const newImage = { Env: ['V=2'], Cmd: ['run', 'better'], Volumes: { '/new': {} } };
  const old = container({ config: { Env: ['MINE=1', 'V=1'], Cmd: ['run'] }, host: { Memory: 100 } });
  const spec = carriedSpec(old, oldImage);

  const proven = (fresh: InspectedContainer) =>
    differences(expectedSpec(spec, newImage), seenSpec(fresh, freshVolumes(spec, newImage)));

  it('is empty where only the image changed, with all that the image brings', () => {
    const fresh = container({
      id: NEW_ID,
      config: { Env: ['MINE=1', 'V=2'], Cmd: ['run', 'better'], Volumes: { '/new': {} } },
      host: { Memory: 100, RestartPolicy: { Name: 'no' } },
      mounts: [{ Type: 'volume', Name: 'brought', Destination: '/new', RW: true }],
    });
    expect(proven(fresh)).toEqual([]);
  });

  it('names all that is not as it was', () => {
    const fresh = container({
      id: NEW_ID,
      config: { Env: ['V=2'], Cmd: ['run', 'better'], Volumes: { '/new': {} } },
      host: { Memory: 50 },
      networks: { front: {}, back: {} },
      mounts: [{ Type: 'bind', Source: '/srv', Destination: '/srv', RW: true }],
    });
    expect(proven(fresh)).toEqual([
      'Env: ["MINE=1","V=2"] became ["V=2"]',
      'HostConfig.Memory: 100 became 50',
      'network back: nothing became {}',
      'mount /srv: nothing became "bind /srv rw"',
    ]);
  });
});
