/**
 * What Docker shows of a container, without the engine's own idea of what matters: every field of its inspect but ids,
 * times, paths of Docker's own, and what Docker chose by itself. Two containers that were asked for alike show alike.
 */

import type Docker from 'dockerode';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Fields = Readonly<Record<string, Json>>;

/** Ids, times, paths below Docker's own folder, and how the container fares. */
const OF_EACH = new Set([
  'Id',
  'Created',
  'State',
  'ResolvConfPath',
  'HostnamePath',
  'HostsPath',
  'LogPath',
  'GraphDriver',
  'RestartCount',
  'ExecIDs',
  'ImageManifestDescriptor',
  'Storage',
]);
const CHOSEN_BY_DOCKER = new Set([
  'EndpointID',
  'Gateway',
  'IPAddress',
  'IPPrefixLen',
  'IPv6Gateway',
  'GlobalIPv6Address',
  'GlobalIPv6PrefixLen',
  'MacAddress',
]);
/** A volume that nobody gave a name. */
const ANONYMOUS = /^[0-9a-f]{64}$/;
const OWN_LABEL = /^swell\.(?:swap|last-good)\./;

/** @param asked what somebody chose that Docker chooses otherwise, and does not say which */
export function seen(
  inspected: Docker.ContainerInspectInfo,
  asked: { readonly macs: boolean } = { macs: false },
): Fields {
  const container = fieldsOf(JSON.parse(JSON.stringify(inspected)));
  const id = inspected.Id;
  const host = fieldsOf(container['HostConfig']);
  const config = fieldsOf(container['Config']);
  const settings = fieldsOf(container['NetworkSettings']);
  const plain = Object.entries(container).filter(([key]) => !OF_EACH.has(key));
  return {
    ...Object.fromEntries(plain),
    Config: {
      ...config,
      // The image is compared by its id.
      Image: 'its image',
      // The command sends them in any order.
      Env: sortedTexts(config['Env']),
      Hostname: config['Hostname'] === id.slice(0, 12) ? 'its id' : (config['Hostname'] ?? ''),
      Labels: without(fieldsOf(config['Labels']), (label) => OWN_LABEL.test(label)),
    },
    HostConfig: {
      ...host,
      Binds: bindsIn(host),
      Mounts: mountsIn(host),
      RestartPolicy: {
        ...fieldsOf(host['RestartPolicy']),
        Name: fieldsOf(host['RestartPolicy'])['Name'] || 'no',
      },
      // Compose sends these in any order.
      Ulimits: Array.isArray(host['Ulimits']) ? listOf(host['Ulimits']).map(fieldsOf).sort(by('Name')) : null,
      Links: sortedTexts(host['Links']),
      ExtraHosts: sortedTexts(host['ExtraHosts']),
    },
    NetworkSettings: { Ports: portsIn(settings, host), Networks: networksIn(settings, asked, id) },
    Mounts: pointsIn(container['Mounts']),
  };
}

/** Where they differ: `Config.Labels: … became …`. Empty: they show alike. */
export function differing(expected: Fields, found: Fields): readonly string[] {
  const parts = (name: string, value: Json): readonly [string, Json][] =>
    name === 'Config' || name === 'HostConfig' || name === 'NetworkSettings'
      ? Object.entries(fieldsOf(value)).map(([key, part]) => [`${name}.${key}`, part])
      : [[name, value]];
  const left = new Map(Object.entries(expected).flatMap(([name, value]) => parts(name, value)));
  const right = new Map(Object.entries(found).flatMap(([name, value]) => parts(name, value)));
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => text(left.get(key)) !== text(right.get(key)))
    .map((key) => `${key}: ${text(left.get(key))} became ${text(right.get(key))}`);
}

/** Keys in order, so that two records with the same content read the same. */
function text(value: Json | undefined): string {
  return (
    JSON.stringify(value, (_, part: Json) =>
      isFields(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
    ) ?? 'nothing'
  );
}

/** Anonymous volumes are carried by name, and looked at where they are mounted. */
function bindsIn(host: Fields): Json {
  const binds = textsOf(host['Binds']).filter((bind) => !ANONYMOUS.test(bind.split(':')[0] ?? ''));
  // Their order says nothing, and the command sends them in any.
  return binds.length > 0 ? binds.sort() : null;
}

function mountsIn(host: Fields): Json {
  const mounts = listOf(host['Mounts']).map(fieldsOf);
  if (mounts.length === 0) return null;
  const plain = mounts.map((mount) => {
    const { Source: source, ...rest } = mount;
    return source === undefined || source === '' || ANONYMOUS.test(textOf(source)) ? rest : mount;
  });
  return plain.sort(by('Target'));
}

function pointsIn(value: Json | undefined): Json {
  const points = listOf(value).map(fieldsOf);
  return points
    .map((point) =>
      ANONYMOUS.test(textOf(point['Name']))
        ? // One that is carried by name has the mode of a named one; `RW` tells what it means.
          { ...point, Name: 'anonymous', Source: 'anonymous', Mode: '' }
        : point,
    )
    .sort(by('Destination'));
}

function by(key: string): (a: Fields, b: Fields) => number {
  return (a, b) => (textOf(a[key]) < textOf(b[key]) ? -1 : 1);
}

/** A port of the host is compared where somebody chose it. */
function portsIn(settings: Fields, host: Fields): Json {
  const asked = fieldsOf(host['PortBindings']);
  return Object.fromEntries(
    Object.entries(fieldsOf(settings['Ports'])).map(([port, bindings]) => {
      const wishes = listOf(asked[port]).map((wish) => textOf(fieldsOf(wish)['HostPort']));
      const isChosen = wishes.some((wish) => /^[1-9]\d*$/.test(wish));
      const shown = listOf(bindings).map((binding) =>
        isChosen ? binding : { ...fieldsOf(binding), HostPort: 'chosen by Docker' },
      );
      return [port, bindings === null ? null : shown];
    }),
  );
}

function networksIn(settings: Fields, asked: { readonly macs: boolean }, id: string): Json {
  return Object.fromEntries(
    Object.entries(fieldsOf(settings['Networks'])).map(([name, value]) => {
      const endpoint = fieldsOf(value);
      const plain = without(endpoint, (key) => CHOSEN_BY_DOCKER.has(key));
      const own = (key: string): Json => sortedTexts(endpoint[key], id.slice(0, 12));
      const static4 = fieldsOf(endpoint['IPAMConfig'])['IPv4Address'];
      return [
        name,
        {
          ...plain,
          Aliases: own('Aliases'),
          DNSNames: own('DNSNames'),
          // Where Docker is asked for nothing it writes `null`, or an empty record.
          IPAMConfig: fieldsOf(endpoint['IPAMConfig']),
          ...(static4 !== undefined && { IPAddress: endpoint['IPAddress'] ?? '' }),
          ...(asked.macs && { MacAddress: endpoint['MacAddress'] ?? '' }),
        },
      ];
    }),
  );
}

function sortedTexts(value: Json | undefined, except?: string): Json {
  return textsOf(value)
    .filter((one) => one !== except)
    .sort();
}

function without(fields: Fields, isLeftOut: (key: string) => boolean): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !isLeftOut(key)));
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: Json | undefined): Fields {
  return isFields(value) ? value : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function textsOf(value: Json | undefined): readonly string[] {
  return listOf(value).map(textOf);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
