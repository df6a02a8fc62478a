/** Agents in containers of their own image, on a node of a fleet: built, published, run, looked at, killed. */

import { Readable } from 'node:stream';
import { type PinnedImage, pullReference } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { buildAgentImage } from '../support/agent-image.ts';
import {
  buildEnded,
  buildFrom,
  pushImage,
  removeByLabel,
  TEST_LABEL,
  unlessMissing,
} from '../support/docker.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import { untilSo } from './watching.ts';

const STATE_DIR = '/var/lib/swell';

/** An agent's container as its operator made it, but for its image. */
export interface Made {
  readonly name: string;
  readonly environment: readonly string[];
  /** But for those of its image, and for what swaps write. */
  readonly labels: Readonly<Record<string, string>>;
  readonly restart: unknown;
  readonly binds: readonly string[];
  readonly mounts: readonly string[];
  readonly user: string;
  readonly groups: unknown;
  readonly healthcheck: unknown;
  /** Networks, and what it is called there. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

/** Which containers are these agents', and what the one in place is called. */
export interface AgentPlace {
  readonly labels: readonly string[];
  readonly name: string;
}

interface OwnAgentsOptions {
  /** Where somebody else runs them. */
  readonly place?: AgentPlace;
  /** Another dockerd than the fleet's. */
  readonly docker?: Docker;
}

/** What a swap may leave on a container. */
const MARK = /^swell\.(?:swap|last-good)\.|^com\.docker\.compose\.image$/;

/** One node, at once, and no failure is forgiven. */
export const OWN_POLICY = {
  stages: [100],
  approval: 'automatic',
  maxUnavailable: 1,
  stagingSpread: '0s',
  soak: '0s',
  failureBudget: { max: 0 },
  health: { minHealthyTime: '1s', healthyDeadline: '30s', interval: '500ms' },
};

export class OwnAgents implements AsyncDisposable {
  readonly #fleet: Fleet;
  readonly #node: FleetNode;
  readonly #place: AgentPlace;
  readonly #label: string;
  readonly #base: string;
  /** Where they run. Their images are made on the fleet's. */
  readonly #docker: Docker;
  /** What was published, by its tag. */
  readonly #images = new Map<string, PinnedImage>();

  private constructor(
    { fleet, node }: { readonly fleet: Fleet; readonly node: FleetNode },
    { place, docker }: Required<OwnAgentsOptions>,
    label: string,
  ) {
    this.#fleet = fleet;
    this.#node = node;
    this.#place = place;
    this.#docker = docker;
    this.#label = label;
    this.#base = `swell-local/agent:${label}`;
  }

  static async build(
    fleet: Fleet,
    node: FleetNode,
    { place = placeOf(fleet, node), docker = fleet.docker }: OwnAgentsOptions = {},
  ): Promise<OwnAgents> {
    const label = `${fleet.id}-own`;
    await buildAgentImage(fleet.docker, label);
    return new OwnAgents({ fleet, node }, { place, docker }, label);
  }

  /** An image of the same agent, and of another digest. Returns its name. */
  async publish(tag: string, dockerfile: readonly string[] = []): Promise<string> {
    const { docker } = this.#fleet;
    const context = pack();
    const lines = [`FROM ${this.#base}`, `LABEL ${TEST_LABEL}=${this.#label} revision=${tag}`, ...dockerfile];
    context.entry({ name: 'Dockerfile' }, `${lines.join('\n')}\n`);
    context.finalize();
    const options = { repository: this.#repository, tag, version: tag };
    await buildFrom(docker, Readable.from(context), options);
    this.#images.set(tag, await pushImage(docker, options));
    return this.reference(tag);
  }

  async run(tag: string, dockerHost: string, restart = 'unless-stopped'): Promise<void> {
    const { server, id } = this.#fleet;
    const { region, name, stateDir } = this.#node;
    const environment = {
      DOCKER_HOST: dockerHost,
      SWELL_NATS_SERVERS: server.url,
      SWELL_REGION: region,
      SWELL_NODE: name,
      SWELL_STACK: stackOf(this.#fleet, this.#node),
      SWELL_STATUS_PORT: '0',
      SWELL_PRESENCE_EVERY_MS: '5000',
    };
    const docker = this.#docker;
    await buildEnded(docker, await docker.pull(this.reference(tag)));
    const container = await docker.createContainer({
      name: this.#place.name,
      Image: this.reference(tag),
      Labels: {
        'swell.service': 'agent',
        'swell.stack': stackOf(this.#fleet, this.#node),
        [TEST_LABEL]: id,
      },
      Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
      User: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
      // Its status port is not known, so nobody can ask it.
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: 'host',
        Binds: [`${stateDir}:${STATE_DIR}`],
        RestartPolicy: { Name: restart },
      },
    });
    await container.start();
  }

  /** Resolves once there is one, and it runs. */
  async alone(): Promise<{ readonly made: Made; readonly image: string }> {
    let found: { readonly made: Made; readonly image: string } | undefined;
    await untilSo(this.#fleet, 'one agent to be left', async () => {
      const [first, ...others] = await this.#inspected();
      if (first?.State.Running !== true || others.length > 0) return false;
      const ofImage = (await this.#docker.getImage(first.Image).inspect()).Config.Labels ?? {};
      found = { made: madeOf(first, ofImage), image: first.Image };
      return true;
    });
    if (found === undefined) throw new Error('there is none');
    return found;
  }

  /** Of each there is: who it is, and since when it runs. */
  async identity(): Promise<readonly object[]> {
    return (await this.#inspected()).map(({ Id, Name, State }) => ({ Id, Name, startedAt: State.StartedAt }));
  }

  async imageOf(tag: string): Promise<string> {
    const image = this.#images.get(tag);
    if (image === undefined) throw new Error(`${tag} was not published`);
    return (await this.#docker.getImage(pullReference(image)).inspect()).Id;
  }

  /** The new one has the name, and the node's lease. */
  async untilActs(tag: string): Promise<void> {
    await this.untilSays(tag, 'acts on its node', this.#place.name);
  }

  /** @param name of its container; whatever it is called where that is missing */
  async untilSays(tag: string, words: string, name?: string): Promise<void> {
    const image = await this.imageOf(tag);
    await untilSo(this.#fleet, `the agent of ${tag} to say that it ${words}`, async () => {
      const found = (await this.#inspected()).find(
        ({ Image, Name }) => Image === image && (name === undefined || Name === `/${name}`),
      );
      const log = found && (await unlessMissing(this.#docker.getContainer(found.Id).logs({ stdout: true })));
      return log?.toString().includes(words) === true;
    });
  }

  /** By SIGKILL from outside, as the kernel would; Docker does not take it for an operator's word. */
  async kill(dying: 'the old one' | 'the new one' | 'both', tag: string): Promise<void> {
    const image = await this.imageOf(tag);
    const dead = (await this.#inspected()).filter(
      ({ Image, State }) =>
        State.Running && (dying === 'both' || (Image === image) === (dying === 'the new one')),
    );
    if (dead.length === 0) throw new Error(`${dying} does not run`);
    const { docker, repository, id } = this.#fleet;
    const killer = await docker.createContainer({
      Image: `${repository}:v1`,
      Labels: { [TEST_LABEL]: id },
      Entrypoint: ['/bin/busybox'],
      Cmd: ['kill', '-9', ...dead.map(({ State }) => `${State.Pid}`)],
      HostConfig: { PidMode: 'host' },
    });
    await killer.start();
    await killer.wait();
    await killer.remove();
    await Promise.all(dead.map(({ Id, State }) => this.#untilDead(Id, State.Pid)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { Id } of await this.#inspected())
      await this.#docker.getContainer(Id).remove({ force: true, v: true });
    await removeByLabel(this.#fleet.docker, this.#label);
  }

  async #untilDead(id: string, pid: number): Promise<void> {
    await untilSo(this.#fleet, `the process ${pid} to be dead`, async () => {
      // Where it is gone, the other one has removed it.
      const found = await unlessMissing(this.#docker.getContainer(id).inspect());
      return found?.State.Pid !== pid;
    });
  }

  async #inspected() {
    const docker = this.#docker;
    const filters = JSON.stringify({ label: this.#place.labels });
    const listed = await docker.listContainers({ all: true, filters });
    const inspected = await Promise.allSettled(listed.map(({ Id }) => docker.getContainer(Id).inspect()));
    return inspected.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  get #repository(): string {
    return `${this.#fleet.registry.host}/agent`;
  }

  reference(tag: string): string {
    return `${this.#repository}:${tag}`;
  }
}

function placeOf(fleet: Fleet, node: FleetNode): AgentPlace {
  return {
    labels: ['swell.service=agent', `swell.stack=${stackOf(fleet, node)}`],
    name: `${fleet.id}-agent`,
  };
}

function stackOf({ id }: Fleet, { name }: FleetNode): string {
  return `${id}-${name}`;
}

function madeOf(
  { Id, Name, Config, HostConfig, Mounts, NetworkSettings }: Docker.ContainerInspectInfo,
  ofImage: Readonly<Record<string, string>>,
): Made {
  const { RestartPolicy: restart, Binds: binds, GroupAdd: groups } = HostConfig;
  const labels = Object.entries(Config.Labels).filter(
    ([key, value]) => ofImage[key] !== value && !MARK.test(key),
  );
  const aliases = Object.entries(NetworkSettings.Networks).map(
    ([network, { Aliases }]) =>
      [network, (Aliases ?? []).filter((alias: string) => !Id.startsWith(alias)).sort()] as const,
  );
  return {
    name: Name,
    environment: Config.Env,
    labels: Object.fromEntries(labels),
    restart,
    binds: binds ?? [],
    mounts: Mounts.map(
      ({ Source, Destination, Mode, RW }) => `${Source} ${Destination} ${Mode} ${RW}`,
    ).sort(),
    user: Config.User,
    groups,
    healthcheck: Config.Healthcheck,
    aliases: Object.fromEntries(aliases),
  };
}
