/**
 * The same container, another image. {@link carriedSpec} takes from a container's inspect all that its operator asked
 * for; {@link differences} proves, before anything stops, that the new container has just that and the new image.
 */

import { sameValue } from '@swell/shared/kernel/equal.ts';
import {
  type ContainerConfig,
  type Endpoint,
  type HostConfig,
  type InspectedContainer,
  type MountPoint,
  type MountRequest,
  shortId,
} from '../inspected.ts';
import { isBlank, overlay, overridesOf } from './overrides.ts';

export interface Spec {
  readonly config: ContainerConfig;
  /** Without the restart policy, which a swap plays with. */
  readonly host: HostConfig;
  readonly networks: Readonly<Record<string, Endpoint>>;
  /** Docker takes all its networks at create, each with a MAC address if need be: API 1.44 and newer. */
  readonly createsConnected: boolean;
  /** Destination → what lies there. */
  readonly mounts: Readonly<Record<string, string>>;
}

/** What `POST /containers/create` takes, but for the image, the name and the restart policy. */
export type CreateBody = ContainerConfig & {
  readonly HostConfig: HostConfig;
  readonly NetworkingConfig?: { readonly EndpointsConfig: Readonly<Record<string, Endpoint>> };
};

/** Labels that a swap writes itself; they say nothing of what the operator asked for. */
const OWN_LABEL = /^swell\.(?:swap|last-good)\.|^com\.docker\.compose\.(?:image|replace)$/;

/**
 * All that a container is, minus what came from its image: what another image is put under.
 *
 * @param leftBehind destinations of volumes that do not come along
 */
export function carriedSpec(
  container: InspectedContainer,
  image: ContainerConfig,
  leftBehind: ReadonlySet<string> = new Set(),
): Spec {
  const seen = seenSpec(container, leftBehind);
  const bound = Object.fromEntries(Object.keys(seen.host.PortBindings ?? {}).map((port) => [port, {}]));
  const shownEntrypoint = container.Config.Entrypoint;
  const config = overridesOf(
    { ...seen.config, ...(shownEntrypoint && { Entrypoint: shownEntrypoint }) },
    image,
  );
  const ports = { ...config.ExposedPorts, ...bound };
  return { ...seen, config: { ...config, ...(!isBlank(ports) && { ExposedPorts: ports }) } };
}

/**
 * The same in the namespaces of those containers that take the place of others.
 *
 * @param moved ids: of the one that goes, and of the one that comes
 */
export function rehomed(spec: Spec, moved: ReadonlyMap<string, string>): Spec {
  const { NetworkMode, PidMode, IpcMode } = spec.host;
  const home = (mode: string | undefined): string | undefined => {
    const comes =
      mode?.startsWith('container:') === true ? moved.get(mode.slice('container:'.length)) : undefined;
    return comes === undefined ? mode : `container:${comes}`;
  };
  const modes = Object.entries({ NetworkMode, PidMode, IpcMode }).map(([name, mode]) => [name, home(mode)]);
  const known = modes.filter(([, mode]) => mode !== undefined);
  return { ...spec, host: { ...spec.host, ...Object.fromEntries(known) } };
}

/** What the new container must look like, if Docker does with the spec and the new image what it always does. */
export function expectedSpec(spec: Spec, image: ContainerConfig): Spec {
  return { ...spec, config: overlay(spec.config, image) };
}

/** Where the new image brings a volume of its own: there Docker mounts a new one. */
export function freshVolumes(spec: Spec, image: ContainerConfig): ReadonlySet<string> {
  return new Set(Object.keys(image.Volumes ?? {}).filter((destination) => !(destination in spec.mounts)));
}

/**
 * A container as it stands, in a form that can be compared.
 *
 * @param unseen destinations of volumes that are not looked at: an image brought them
 */
export function seenSpec(container: InspectedContainer, unseen: ReadonlySet<string> = new Set()): Spec {
  const { Config: config, HostConfig: host } = container;
  const { Labels: labels, Image: _i, OnBuild: _o, ArgsEscaped: _a, ...rest } = config;
  const points = (container.Mounts ?? []).filter(({ Destination }) => !unseen.has(Destination));
  return {
    config: filled({
      ...rest,
      ...givenNames(container),
      ...(asksMacsByNetwork(container) && { MacAddress: undefined }),
      Labels: operatorLabels(labels ?? {}),
    }),
    host: carriedHost(host, points),
    networks: carriedNetworks(container),
    createsConnected: asksMacsByNetwork(container),
    mounts: Object.fromEntries(points.map((point) => [point.Destination, describeMount(point)])),
  };
}

/** Where two specs differ, in words for people; empty is the proof. */
export function differences(expected: Spec, found: Spec): readonly string[] {
  return [
    ...compare('', expected.config, found.config),
    ...compare('HostConfig.', expected.host, found.host),
    ...compare('network ', wishesOf(expected.networks), wishesOf(found.networks)),
    ...compare('mount ', expected.mounts, found.mounts),
  ];
}

/**
 * The request that creates the new container. Docker below API 1.44 takes no more than one network at create, and knows
 * no MAC address but the container's; Docker before 1.54 takes none when it connects. So it is one, or all.
 */
export function createBody(spec: Spec): CreateBody {
  const first = firstNetwork(spec);
  const connected = Object.entries(spec.networks).filter(([name]) => spec.createsConnected || name === first);
  const endpoints = connected.map(([name, endpoint]) => [name, request(endpoint)] as const);
  return {
    ...spec.config,
    HostConfig: spec.host,
    ...(endpoints.length > 0 && { NetworkingConfig: { EndpointsConfig: Object.fromEntries(endpoints) } }),
  };
}

/** The request that connects it to one of the others. */
export function connectBody(endpoint: Endpoint): Endpoint {
  return request(endpoint);
}

/** Does the container have networks of its own? Those of the host or of another container are not carried, but shared. */
export function hasOwnNetworks(host: HostConfig): boolean {
  return !/^(?:host|none|container:.*)$/.test(host.NetworkMode ?? '');
}

function firstNetwork(spec: Spec): string | undefined {
  const given = spec.host.NetworkMode ?? '';
  const mode = given === 'default' ? 'bridge' : given;
  return Object.entries(spec.networks).find(
    ([name, { NetworkID: id }]) =>
      name === mode || (id !== undefined && id !== '' && id.startsWith(mode) && mode !== ''),
  )?.[0];
}

/**
 * A host name and a domain that somebody gave; Docker's own host name is the short id, and in another container's network
 * both are that one's. In the host's network the name of the host is written down like a given one, and kept like one.
 */
function givenNames({ Id: id, Config: config, HostConfig: host }: InspectedContainer): ContainerConfig {
  if (host.NetworkMode?.startsWith('container:') === true) return { Hostname: '', Domainname: '' };
  const isGiven = host.UTSMode !== 'host' && config.Hostname !== shortId(id);
  return { Hostname: isGiven ? (config.Hostname ?? '') : '' };
}

function operatorLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !OWN_LABEL.test(name)));
}

function carriedHost(host: HostConfig, points: readonly MountPoint[]): HostConfig {
  const { RestartPolicy: _, ...rest } = host;
  const asked = (host.Mounts ?? []).map((mount) => named(mount, points));
  const covered = new Set([...(host.Binds ?? []).map(destinationOf), ...asked.map(({ Target }) => Target)]);
  // An anonymous volume has nobody's name on it, so the new container must ask for it by the one that Docker gave it.
  const anonymous = points
    .filter((point) => point.Type === 'volume' && !covered.has(point.Destination))
    .map(bindOf)
    .sort();
  return {
    ...rest,
    ...(anonymous.length > 0 && { Binds: [...(host.Binds ?? []), ...anonymous] }),
    ...(asked.length > 0 && { Mounts: asked }),
    ...(!isBlank(host.Links) && { Links: (host.Links ?? []).map(plainLink).sort() }),
  };
}

/** Compose leaves `Source` empty where a volume has no name. */
function named(mount: MountRequest, points: readonly MountPoint[]): MountRequest {
  if (mount.Type !== 'volume' || !isBlank(mount.Source)) return mount;
  const point = points.find(({ Destination }) => Destination === mount.Target);
  return point?.Name === undefined ? mount : { ...mount, Source: point.Name };
}

function bindOf(point: MountPoint): string {
  const mode = isBlank(point.Mode) ? (point.RW === false ? 'ro' : '') : point.Mode;
  return `${point.Name}:${point.Destination}${mode === '' ? '' : `:${mode}`}`;
}

function destinationOf(bind: string): string | undefined {
  return bind.split(':')[1];
}

/** Docker shows `/other:/own-name/alias` where `other:alias` was asked for. */
function plainLink(link: string): string {
  const [other = '', alias = ''] = link.split(':');
  return `${other.replace(/^\//, '')}:${alias.slice(alias.lastIndexOf('/') + 1)}`;
}

function describeMount(point: MountPoint): string {
  return `${point.Type} ${point.Type === 'volume' ? point.Name : point.Source} ${point.RW === false ? 'ro' : 'rw'}`;
}

function carriedNetworks(container: InspectedContainer): Record<string, Endpoint> {
  if (!hasOwnNetworks(container.HostConfig)) return {};
  const own = shortId(container.Id);
  return Object.fromEntries(
    Object.entries(container.NetworkSettings.Networks ?? {}).map(([name, endpoint]) => {
      const { IPAMConfig, Links, Aliases, DriverOpts, GwPriority, NetworkID } = endpoint;
      const carried = {
        IPAMConfig,
        Links,
        DriverOpts,
        GwPriority,
        NetworkID,
        Aliases: (Aliases ?? []).filter((alias) => alias !== own).sort(),
        MacAddress: carriedMac(container, name, endpoint),
      };
      return [name, present(carried)];
    }),
  );
}

/** Since API 1.44 Docker knows of names in its own DNS, and of a MAC address for each network. */
function asksMacsByNetwork({ NetworkSettings: { Networks } }: InspectedContainer): boolean {
  return Object.values(Networks ?? {}).some((endpoint) => 'DNSNames' in endpoint);
}

/**
 * A MAC address that somebody gave. Before API 1.52 Docker tells it for the main network; for the others, and since then
 * for all, it shows only what is there: that is kept, unless it is made of the address that Docker chose and will choose
 * again.
 */
function carriedMac(container: InspectedContainer, name: string, endpoint: Endpoint): string | undefined {
  if (!asksMacsByNetwork(container)) return undefined;
  const { NetworkMode: mode = '' } = container.HostConfig;
  const isMain = name === mode || (mode === 'default' && name === 'bridge') || endpoint.NetworkID === mode;
  const isTold = isMain && container.NetworkSettings.MacAddress !== undefined;
  const mac = isTold ? container.Config.MacAddress : endpoint.MacAddress;
  return mac === macOf(endpoint.IPAddress ?? '') ? undefined : mac;
}

/** As Docker before 28 makes it. */
function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}

/** Before its start a container does not know its networks' ids. */
function wishesOf(networks: Spec['networks']): Record<string, Endpoint> {
  return Object.fromEntries(Object.entries(networks).map(([name, endpoint]) => [name, wishes(endpoint)]));
}

/** The part of an endpoint that somebody asked for; addresses that Docker chose are Docker's to choose again. */
function wishes(endpoint: Endpoint): Endpoint {
  const asked = Object.entries(request(endpoint));
  return Object.fromEntries(asked.filter(([, value]) => !isBlank(value) && value !== 0));
}

function request(endpoint: Endpoint): Endpoint {
  const { NetworkID: _, ...asked } = endpoint;
  return asked;
}

/** An empty record is kept: Docker shows it as it was sent. */
function present(endpoint: object): Endpoint {
  return Object.fromEntries(
    Object.entries(endpoint).filter(
      ([, value]) =>
        value !== undefined &&
        value !== null &&
        value !== '' &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function filled(config: object): ContainerConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isBlank(value)));
}

function compare(prefix: string, expected: object, found: object): readonly string[] {
  const left: Readonly<Record<string, unknown>> = { ...expected };
  const right: Readonly<Record<string, unknown>> = { ...found };
  return [...new Set([...Object.keys(left), ...Object.keys(right)])]
    .filter((key) => !sameValue(ordered(key, left[key]), ordered(key, right[key])))
    .map((key) => `${prefix}${key}: ${show(left[key])} became ${show(right[key])}`);
}

/** An environment has no order, and Docker keeps none in what it lists as `null` or not at all. */
function ordered(key: string, value: unknown): unknown {
  if (key === 'Env' && Array.isArray(value)) return value.map(String).sort();
  return value ?? undefined;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
