/** Agents in containers of their own image, on a node of a fleet: built, published, run, looked at, killed. */

import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { buildAgentImage } from '../support/agent-image.ts';
import { buildFrom, pushImage, removeByLabel, TEST_LABEL } from '../support/docker.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import { untilSo } from './watching.ts';

const STATE_DIR = '/var/lib/swell';

/** An agent's container as its operator made it, but for its image. */
export interface Made {
  readonly name: string;
  readonly environment: readonly string[];
  readonly restart: unknown;
  readonly binds: unknown;
  readonly user: string;
}

export class OwnAgents implements AsyncDisposable {
  readonly #fleet: Fleet;
  readonly #node: FleetNode;
  readonly #label: string;
  readonly #base: string;

  private constructor(fleet: Fleet, node: FleetNode, label: string, base: string) {
    this.#fleet = fleet;
    this.#node = node;
    this.#label = label;
    this.#base = base;
  }

  static async build(fleet: Fleet, node: FleetNode): Promise<OwnAgents> {
    const label = `${fleet.id}-own`;
    await buildAgentImage(fleet.docker, label);
    return new OwnAgents(fleet, node, label, `swell-local/agent:${label}`);
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
    await pushImage(docker, options);
    return this.#reference(tag);
  }

  async run(tag: string, dockerHost: string): Promise<void> {
    const { docker, server, id } = this.#fleet;
    const { region, name, stateDir } = this.#node;
    const environment = {
      DOCKER_HOST: dockerHost,
      SWELL_NATS_SERVERS: server.url,
      SWELL_REGION: region,
      SWELL_NODE: name,
      SWELL_STACK: this.#stack,
      SWELL_STATUS_PORT: '0',
      SWELL_PRESENCE_EVERY_MS: '5000',
    };
    const container = await docker.createContainer({
      name: this.#name,
      Image: this.#reference(tag),
      Labels: { 'swell.service': 'agent', 'swell.stack': this.#stack, [TEST_LABEL]: id },
      Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
      User: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
      // Its status port is not known, so nobody can ask it.
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: 'host',
        Binds: [`${stateDir}:${STATE_DIR}`],
        RestartPolicy: { Name: 'unless-stopped' },
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
      const { Config, HostConfig, Name, Image } = first;
      const { RestartPolicy: restart, Binds: binds } = HostConfig;
      const made = { name: Name, environment: Config.Env, restart, binds, user: Config.User };
      found = { made, image: Image };
      return true;
    });
    if (found === undefined) throw new Error('there is none');
    return found;
  }

  async imageOf(tag: string): Promise<string> {
    return (await this.#fleet.docker.getImage(this.#reference(tag)).inspect()).Id;
  }

  /** The new one has the name, and the node's lease. */
  async untilActs(tag: string): Promise<void> {
    await this.untilSays(tag, 'acts on its node', this.#name);
  }

  /** @param name of its container; whatever it is called where that is missing */
  async untilSays(tag: string, words: string, name?: string): Promise<void> {
    const image = await this.imageOf(tag);
    await untilSo(this.#fleet, `the agent of ${tag} to say that it ${words}`, async () => {
      const found = (await this.#inspected()).find(
        ({ Image, Name }) => Image === image && (name === undefined || Name === `/${name}`),
      );
      const log = found && (await this.#fleet.docker.getContainer(found.Id).logs({ stdout: true }));
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
    const { docker } = this.#fleet;
    for (const { Id } of await this.#inspected())
      await docker.getContainer(Id).remove({ force: true, v: true });
    await removeByLabel(docker, this.#label);
  }

  async #untilDead(id: string, pid: number): Promise<void> {
    const { docker } = this.#fleet;
    await untilSo(this.#fleet, `the process ${pid} to be dead`, async () => {
      const { State } = await docker.getContainer(id).inspect();
      return State.Pid !== pid;
    });
  }

  async #inspected() {
    const { docker } = this.#fleet;
    const filters = JSON.stringify({ label: ['swell.service=agent', `swell.stack=${this.#stack}`] });
    const listed = await docker.listContainers({ all: true, filters });
    const inspected = await Promise.allSettled(listed.map(({ Id }) => docker.getContainer(Id).inspect()));
    return inspected.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  get #repository(): string {
    return `${this.#fleet.registry.host}/agent`;
  }

  #reference(tag: string): string {
    return `${this.#repository}:${tag}`;
  }

  get #name(): string {
    return `${this.#fleet.id}-agent`;
  }

  get #stack(): string {
    return `${this.#fleet.id}-${this.#node.name}`;
  }
}
