/**
 * What Docker tells of containers and images, as far as a swap reads it. Everything else that Docker knows travels
 * through unread: what a later Docker adds is carried over too.
 */

export interface Healthcheck {
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  /** The address of the main network that somebody asked for; no longer since API 1.52. */
  readonly MacAddress?: string;
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[] | null;
  readonly Healthcheck?: Healthcheck | null;
  readonly Image?: string;
  readonly [unread: string]: unknown;
}

export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount?: number;
}

/** An entry of `HostConfig.Mounts`: what somebody asked for. */
export interface MountRequest {
  readonly Type: string;
  readonly Source?: string;
  readonly Target: string;
  readonly [unread: string]: unknown;
}

export interface HostConfig {
  readonly AutoRemove?: boolean;
  readonly Binds?: readonly string[] | null;
  readonly Links?: readonly string[] | null;
  readonly Mounts?: readonly MountRequest[] | null;
  readonly NetworkMode?: string;
  readonly PidMode?: string;
  readonly IpcMode?: string;
  readonly UTSMode?: string;
  readonly PortBindings?: Readonly<Record<string, unknown>> | null;
  readonly RestartPolicy?: RestartPolicy;
  readonly [unread: string]: unknown;
}

/** A container's place in one network: the operator's wishes, and what Docker made of them. */
export interface Endpoint {
  readonly IPAMConfig?: Readonly<Record<string, unknown>> | null;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly GwPriority?: number;
  /** Since API 1.44 also what somebody asked for; nothing says which. */
  readonly MacAddress?: string;
  /** Since API 1.44. */
  readonly DNSNames?: readonly string[] | null;
  readonly NetworkID?: string;
  readonly IPAddress?: string;
  readonly GlobalIPv6Address?: string;
}

/** An entry of `Mounts`: what is there. */
export interface MountPoint {
  readonly Type: string;
  readonly Name?: string;
  readonly Source?: string;
  readonly Destination: string;
  readonly Mode?: string;
  readonly RW?: boolean;
}

export interface ContainerState {
  readonly Status: string;
  readonly Running: boolean;
  readonly Paused?: boolean;
  readonly Restarting?: boolean;
  readonly Dead?: boolean;
  readonly ExitCode?: number;
  readonly Error?: string;
  readonly StartedAt?: string;
  readonly Health?: {
    readonly Status: string;
    readonly FailingStreak?: number;
    readonly Log?: readonly { readonly ExitCode: number; readonly Output: string }[] | null;
  } | null;
}

/** What an image is built for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v7` of `arm`; most have none. */
  readonly variant?: string;
}

export interface InspectedContainer {
  readonly Id: string;
  readonly Name: string;
  /** The image's id, not its name. */
  readonly Image: string;
  /** Where dockerd keeps images in containerd's store. */
  readonly ImageManifestDescriptor?: { readonly platform?: Platform | null } | null;
  readonly Created?: string;
  readonly RestartCount?: number;
  readonly State: ContainerState;
  readonly Config: ContainerConfig;
  readonly HostConfig: HostConfig;
  readonly Mounts?: readonly MountPoint[] | null;
  readonly NetworkSettings: {
    readonly Networks?: Readonly<Record<string, Endpoint>> | null;
    /** Until API 1.52. */
    readonly MacAddress?: string;
  };
}

export interface InspectedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Os?: string;
  readonly Architecture?: string;
  readonly Variant?: string;
  /** Unpacked, in bytes. */
  readonly Size?: number;
  readonly Config?: ContainerConfig | null;
}

/** The first twelve digits of a container's id: Docker's default host name and alias. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

/** Docker writes a container's name with a slash before it. */
export function plainName(name: string): string {
  return name.replace(/^\//, '');
}

/** Does it run, or is Docker about to run it again? */
export function isUp(state: ContainerState): boolean {
  return state.Running || state.Restarting === true;
}

/** What Docker gives a container to stop where nobody said. */
const DOCKER_STOP_TIMEOUT_MS = 10_000;

/** Between its stop signal and the kill, as it was made. */
export function ownStopTimeoutMs({ StopTimeout: seconds }: ContainerConfig): number {
  return typeof seconds === 'number' ? seconds * 1_000 : DOCKER_STOP_TIMEOUT_MS;
}

/** Docker could not start it, and says why. */
export function hasStartError(state: ContainerState): boolean {
  return state.Error !== undefined && state.Error !== '';
}

/** Docker writes the year 1 for "never". */
export function wasStarted(state: ContainerState): boolean {
  return state.StartedAt !== undefined && state.StartedAt !== '' && !state.StartedAt.startsWith('0001-');
}
