/**
 * A whole small fleet on one machine, of real parts: nats-server, a registry, coordinators and agents as processes, and
 * one real container for each node. The demo shows it; the end-to-end tests try it.
 */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { Digest, PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { connectPatiently } from '../support/bus.ts';
import {
  type Behaviour,
  buildImage,
  type ImageOptions,
  removeByLabel,
  TEST_LABEL,
  testDocker,
  unlessMissing,
  WEB_PORT,
} from '../support/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type NatsServer, startNats } from '../support/nats.ts';
import { freePorts } from '../support/ports.ts';
import { NATS_PATIENCE, natsOptions, toolPath } from '../support/tools.ts';
import { FleetLog } from './fleet-log.ts';
import { type MemoryImages, MemoryMachines } from './memory-machines.ts';
import { Program } from './programs.ts';

export interface FleetOptions {
  /** How many nodes each region has. */
  readonly regions: Readonly<Record<string, number>>;
  readonly startBus?: () => Promise<NatsServer>;
  /** Every node's service on a port of the loopback of its own, the same before and after a swap. */
  readonly publishesPorts?: boolean;
  /** How images are made, where they are not the usual ones. */
  readonly buildImage?: (docker: Docker, options: ImageOptions) => Promise<PinnedImage>;
  /** What agents are told beyond the usual, by their node's name. */
  readonly environments?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What coordinators are told beyond the usual. */
  readonly coordinatorEnvironment?: Readonly<Record<string, string>>;
  /** Without Docker: the images that the registry has, and that the nodes' engines in memory pretend to run. */
  readonly memory?: MemoryImages;
  /** Instead of the programs as they are in this repository: their bundles, with what their images give them. */
  readonly bundles?: Readonly<Record<'agent' | 'coordinator', Bundled>>;
  /** Gives the start up; what had started is taken away again. */
  readonly signal?: AbortSignal;
}

export interface Bundled {
  readonly entry: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface FleetNode {
  readonly region: string;
  readonly name: string;
  /** Its container of the service. */
  readonly container: string;
  readonly stateDir: string;
  /** Of the loopback, where its ports are published. */
  readonly port?: number;
}

export const SERVICE = 'web';

/** Where a node's operator may write what he wants. */
export const policyFileOf = (node: FleetNode): string => `${node.stateDir}.policy.json`;
/** Far more than it takes on the slowest machine. */
export const START_PATIENCE_MS = 240_000;
const COORDINATOR_LEASE_MS = 2_000;
const PULSE_EVERY_MS = 1_000;

export class Fleet implements AsyncDisposable {
  readonly id: string;
  readonly directory: string;
  readonly server: NatsServer;
  readonly registry: DockerRegistry;
  readonly docker: Docker;
  readonly bus: NatsBus;
  readonly log: FleetLog;
  readonly nodes: readonly FleetNode[];
  readonly coordinators = new Map<string, Program>();
  readonly agents = new Map<string, Program>();
  readonly #options: FleetOptions;
  #machines: MemoryMachines | undefined;
  /** Something went wrong: the logs stay where they are when the fleet ends. */
  keepsLogs = process.env['SWELL_KEEP_LOGS'] !== undefined;

  private constructor(
    parts: Pick<Fleet, 'id' | 'directory' | 'server' | 'registry' | 'docker' | 'bus' | 'nodes'>,
    options: FleetOptions,
  ) {
    this.id = parts.id;
    this.directory = parts.directory;
    this.server = parts.server;
    this.registry = parts.registry;
    this.docker = parts.docker;
    this.bus = parts.bus;
    this.nodes = parts.nodes;
    this.log = new FleetLog(parts.bus);
    this.#options = options;
  }

  /** Bus, registry, one coordinator, and on every node a container of `web:v1` with its agent, all present. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const { regions, startBus = startNats, publishesPorts = false, memory, signal } = options;
    await using parts = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'swell-fleet-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    const id = directory.slice(directory.lastIndexOf('-') + 1).toLowerCase();
    const server = parts.use(await startBus());
    const registry = parts.use(await startDockerRegistry());
    const bus = parts.use(await connectPatiently(server, 'fleet observer'));
    const places = Object.entries(regions).flatMap(([region, count]) =>
      Array.from({ length: count }, (_, index) => ({ region, name: `${region}-${index + 1}` })),
    );
    const ports = publishesPorts ? await freePorts(places.length) : [];
    const nodes = places.map(({ region, name }, index): FleetNode => {
      const port = ports[index];
      const container = `${id}-${name}-${SERVICE}`;
      return {
        region,
        name,
        container,
        stateDir: join(directory, name),
        ...(port !== undefined && { port }),
      };
    });
    const fleet = new Fleet({ id, directory, server, registry, docker: testDocker(), bus, nodes }, options);
    const late = AbortSignal.timeout(START_PATIENCE_MS);
    // From here on the fleet itself takes away what there is of it.
    parts.move();
    try {
      if (memory !== undefined) fleet.#machines = await MemoryMachines.push(registry, SERVICE, memory);
      await fleet.#begin(AbortSignal.any([late, ...(signal === undefined ? [] : [signal])]));
    } catch (error) {
      const isWanted = signal?.aborted === true;
      fleet.keepsLogs ||= !isWanted;
      await fleet[Symbol.asyncDispose]();
      if (isWanted) throw error;
      const why = late.aborted ? `not within ${START_PATIENCE_MS / 1_000} s` : (error as Error).message;
      throw new Error(`the fleet did not come up: ${why}. The logs are in ${directory}`, { cause: error });
    }
    return fleet;
  }

  /** What takes a moment runs to its end, so that nothing is made after everything was taken away. */
  async #begin(signal?: AbortSignal): Promise<void> {
    await unlessAborted(this.whileAlive(this.startCoordinator('first')), signal);
    await this.publishImage('v1');
    signal?.throwIfAborted();
    await Promise.all(this.nodes.map((node) => this.runContainer(node, 'v1')));
    signal?.throwIfAborted();
    for (const node of this.nodes) this.startAgent(node);
    await this.log.follow();
    const present = Promise.all(this.nodes.map((node) => this.untilPresent(node)));
    await unlessAborted(this.whileAlive(present), signal);
  }

  /** What comes of it, unless one of the programs that run now ends before. */
  whileAlive<Value>(value: Promise<Value>): Promise<Value> {
    const programs = [
      ...[...this.coordinators].map(([name, program]) => untilDead(`the coordinator ${name}`, program)),
      ...[...this.agents].map(([name, program]) => untilDead(`the agent of ${name}`, program)),
    ];
    return Promise.race([value, ...programs]);
  }

  async startCoordinator(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Program> {
    const bundle = this.#options.bundles?.coordinator;
    const program = new Program({
      program: 'coordinator',
      ...bundle,
      logFile: join(this.directory, `coordinator-${name}.log`),
      environment: {
        ...bundle?.environment,
        SWELL_NATS_SERVERS: this.server.url,
        SWELL_NAME: name,
        SWELL_STATUS_HOST: '127.0.0.1',
        SWELL_STATUS_PORT: '0',
        SWELL_LEASE_MS: String(COORDINATOR_LEASE_MS),
        SWELL_PULSE_EVERY_MS: String(PULSE_EVERY_MS),
        ...this.#options.coordinatorEnvironment,
        ...environment,
      },
    });
    this.coordinators.set(name, program);
    if (this.coordinators.size === 1) await program.line(({ msg }) => msg === 'leading');
    return program;
  }

  startAgent(node: FleetNode, environment: Readonly<Record<string, string>> = {}): Program {
    const bundle = this.#options.bundles?.agent;
    const program = new Program({
      program: 'agent',
      ...bundle,
      logFile: join(this.directory, `agent-${node.name}.log`),
      environment: {
        ...bundle?.environment,
        SWELL_NATS_SERVERS: this.server.url,
        SWELL_REGION: node.region,
        SWELL_NODE: node.name,
        SWELL_STACK: `${this.id}-${node.name}`,
        SWELL_STATE_DIR: node.stateDir,
        SWELL_POLICY_FILE: policyFileOf(node),
        SWELL_STATUS_HOST: '127.0.0.1',
        SWELL_STATUS_PORT: '0',
        SWELL_PRESENCE_EVERY_MS: '5000',
        ...this.#machines?.environment('v1'),
        ...this.#options.environments?.[node.name],
        ...environment,
      },
    });
    this.agents.set(node.name, program);
    return program;
  }

  agentOf(node: FleetNode): Program {
    const agent = this.agents.get(node.name);
    if (agent === undefined) throw new Error(`no agent on ${node.name}`);
    return agent;
  }

  /** The node shows itself on the bus, with a container of the service. */
  async untilPresent(node: FleetNode): Promise<void> {
    const presences = this.bus.follow({
      stream: 'KV_swell_nodes',
      subjects: [`$KV.swell_nodes.${node.region}.${node.name}`],
      from: 'last',
    });
    const agent = this.agentOf(node);
    void agent.ended.then(() => presences.close());
    for await (const { body, deleted } of presences) {
      if (deleted || !new TextDecoder().decode(body).includes(`"${SERVICE}"`)) continue;
      presences.close();
      return;
    }
    throw new Error(`the agent of ${node.name} ended before it was there; its log is ${agent.logFile}`);
  }

  /** Builds an image and pushes it to the fleet's registry; in memory, all images are there from the start. */
  async publishImage(tag: string, behaviour: Behaviour = 'well'): Promise<PinnedImage> {
    if (this.#machines !== undefined) return this.#machines.image(tag);
    const build = this.#options.buildImage ?? buildImage;
    return build(this.docker, {
      repository: this.repository,
      tag,
      version: tag,
      behaviour,
      label: this.id,
    });
  }

  get repository(): string {
    return `${this.registry.host}/${SERVICE}`;
  }

  async runContainer(
    node: FleetNode,
    tag: string,
    host: Docker.HostConfig = hostConfig(node),
  ): Promise<void> {
    if (this.#machines !== undefined) return;
    const made = await this.docker.createContainer({
      name: node.container,
      Image: `${this.repository}:${tag}`,
      Labels: { 'swell.service': SERVICE, 'swell.stack': `${this.id}-${node.name}`, [TEST_LABEL]: this.id },
      HostConfig: host,
    });
    await made.start();
  }

  /** The real `nats` CLI, as a releaser or an observer would use it. Returns what it printed. */
  async nats(...args: string[]): Promise<string> {
    const said = await promisify(execFile)(toolPath('nats'), [...natsOptions(this.server), ...args]);
    return said.stdout + said.stderr;
  }

  /** Publishes a release by the CLI; returns the number of its rollout. */
  async release(body: object | string, service = SERVICE): Promise<number> {
    return this.publish(this.releaseArgs(body, service));
  }

  /** What `nats` is told to publish a release, word by word. */
  releaseArgs(body: object | string, service = SERVICE): readonly string[] {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return ['--server', this.server.url, 'pub', '-J', '--no-templates', `swell.release.${service}`, text];
  }

  /** Runs `nats` with these words; returns the sequence under which it has stored the message. */
  async publish(args: readonly string[]): Promise<number> {
    const said = await promisify(execFile)(toolPath('nats'), [...NATS_PATIENCE, ...args]);
    return storedSequence(said.stdout + said.stderr);
  }

  /** Publishes bytes that no argument can hold: the CLI reads them from its standard input. */
  async publishBytes(subject: string, body: Uint8Array): Promise<number> {
    const words = ['pub', '-J', '--no-templates', '--force-stdin', subject];
    const cli = spawn(toolPath('nats'), [...natsOptions(this.server), ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const output of [cli.stdout, cli.stderr])
      output.setEncoding('utf8').on('data', (text: string) => said.push(text));
    cli.stdin.end(body);
    await once(cli, 'close');
    return storedSequence(said.join(''));
  }

  control(action: object, service = SERVICE): Promise<string> {
    return this.nats('pub', '-J', '--no-templates', `swell.control.${service}`, JSON.stringify(action));
  }

  policy(policy: object, service = SERVICE): Promise<string> {
    return this.nats('kv', 'put', 'swell_policies', service, JSON.stringify(policy));
  }

  /** What the node's container answers; undefined while nothing does, and where there are no containers. */
  async serving(node: FleetNode): Promise<string | undefined> {
    if (this.#machines !== undefined) return undefined;
    try {
      const answer = await fetch(await this.#addressOf(node), { signal: AbortSignal.timeout(2_000) });
      return (await answer.text()).trim();
    } catch {
      return undefined;
    }
  }

  async #addressOf({ container, port }: FleetNode): Promise<string> {
    if (port !== undefined) return `http://127.0.0.1:${port}/`;
    const { NetworkSettings } = await this.docker.getContainer(container).inspect();
    const [network] = Object.values(NetworkSettings.Networks);
    return `http://${network?.IPAddress}:${WEB_PORT}/`;
  }

  /** Every container of the service on a node, by name, with the digest of what it runs. */
  async containersOn(
    node: FleetNode,
  ): Promise<
    readonly { readonly name: string; readonly running: boolean; readonly digests: readonly Digest[] }[]
  > {
    if (this.#machines !== undefined) {
      const found = await this.#machines.containerOn(node.stateDir);
      return found === undefined ? [] : [{ name: node.container, ...found }];
    }
    const filters = JSON.stringify({ label: [`swell.stack=${this.id}-${node.name}`] });
    const found = await this.docker.listContainers({ all: true, filters });
    return Promise.all(
      found.map(async ({ Names, State, ImageID }) => ({
        name: (Names[0] ?? '').slice(1),
        running: State === 'running',
        digests: await this.#digestsOf(ImageID),
      })),
    );
  }

  /** None of one that has gone meanwhile, with its container. */
  async #digestsOf(image: string): Promise<readonly Digest[]> {
    const found = await unlessMissing(this.docker.getImage(image).inspect());
    return (found?.RepoDigests ?? []).map((entry) => entry.slice(entry.indexOf('@') + 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const programs = [...this.agents.values(), ...this.coordinators.values()];
    await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()));
    await this.bus[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    if (this.#machines === undefined) await removeByLabel(this.docker, this.id);
    await this.registry[Symbol.asyncDispose]();
    if (!this.keepsLogs) await rm(this.directory, { recursive: true, force: true });
  }
}

async function untilDead(who: string, program: Program): Promise<never> {
  const code = await program.ended;
  throw new Error(`${who} ended with ${code ?? 'a signal'}; its log is ${program.logFile}`);
}

/** What `nats pub -J` says once a message is stored. */
export function storedSequence(said: string): number {
  const number = /[Ss]equence:?\s*(\d+)/.exec(said)?.[1];
  if (number === undefined) throw new Error(`nats pub said no sequence: ${said}`);
  return Number(number);
}

function hostConfig({ port }: FleetNode): Docker.HostConfig {
  const RestartPolicy = { Name: 'unless-stopped' };
  if (port === undefined) return { RestartPolicy };
  return {
    RestartPolicy,
    PortBindings: { [`${WEB_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
  };
}

/** What comes of it, unless the signal aborts before. */
export async function unlessAborted<Value>(value: Promise<Value>, signal?: AbortSignal): Promise<Value> {
  if (signal === undefined) return value;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([value, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
