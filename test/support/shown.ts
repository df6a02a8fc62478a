/** What an operator sees of a container, so that it can be compared before and after a swap. */

import type Docker from 'dockerode';

/** What Docker shows of a container, but for what is different in every container, and the labels of a swap. */
export function shown({
  Id,
  Config,
  HostConfig,
  NetworkSettings,
  Mounts,
}: Docker.ContainerInspectInfo): Shown {
  const own = Id.slice(0, 12);
  const labels = Object.entries(Config.Labels).filter(
    ([name]) => !/^swell\.(?:swap|last-good)|image\.version$/.test(name),
  );
  const given = HostConfig.RestartPolicy;
  const policy = { Name: given?.Name || 'no', MaximumRetryCount: given?.MaximumRetryCount ?? 0 };
  return {
    config: {
      ...Config,
      Image: '',
      Hostname: Config.Hostname === own ? '' : Config.Hostname,
      Labels: Object.fromEntries(labels),
    },
    // A policy that was never given and `no` are one.
    host: { ...HostConfig, Binds: undefined, Mounts: undefined, RestartPolicy: policy },
    networks: Object.entries(NetworkSettings.Networks)
      .map(([name, { Aliases, IPAMConfig, Links }]) => ({
        name,
        // Where Docker is asked for nothing it writes `null`, or an empty record.
        IPAMConfig: IPAMConfig ?? {},
        Aliases: ((Aliases ?? []) as string[]).filter((alias) => alias !== own).sort(),
        Links,
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    mounts: Mounts.map(({ Type, Name, Source, Destination, RW }) => ({
      Type,
      Name,
      Source,
      Destination,
      RW,
    })).sort((a, b) => a.Destination.localeCompare(b.Destination)),
  };
}

export interface Shown {
  readonly config: Docker.ContainerInspectInfo['Config'];
  readonly host: object;
  readonly networks: readonly object[];
  readonly mounts: readonly { readonly Destination: string }[];
}
