/**
 * One service on one node, as an operator set it up: a container with two networks, a volume, a published port and an
 * environment of its own; the agent beside it; and what a coordinator orders. Agents come and go, the rest stays.
 */

import { join } from 'node:path';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { isResult } from '@swell/shared/domain/report.ts';
import type Docker from 'dockerode';
import { DockerEngine, STACK_LABEL } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import { SERVICE_LABEL } from '../../packages/agent/src/adapters/docker/memo.ts';
import { Program } from '../fleet/programs.ts';
import { removeContainers, TEST_LABEL, WEB_PORT } from '../support/docker.ts';
import { type Shown, shown } from '../support/shown.ts';
import type { Flow, ImageTag } from './flow.ts';
import type { Ground } from './ground.ts';
import type { Machine } from './machine.ts';
import { Orders } from './orders.ts';
import { formatPoint, type Point } from './point.ts';

const REGION = 'shore';

export interface StandOptions {
  readonly ground: Ground;
  readonly machine: Machine;
  readonly flow: Flow;
  /** Of the loopback: the service is published here. */
  readonly port: number;
  readonly slotLeaseMs: number;
}

export class Stand implements AsyncDisposable {
  readonly options: StandOptions;
  /** Names the node, its stack, its container, its directory and its repository. */
  readonly name: string;
  readonly region = REGION;
  readonly service: ServiceName;
  readonly directory: string;
  #orders: Orders | undefined;
  #before: Shown | undefined;
  #agent: Program | undefined;

  private constructor(options: StandOptions) {
    const { ground, flow } = options;
    this.options = options;
    this.name = `${flow.name}-${ground.nextRun()}`;
    this.service = `web-${this.name}`;
    this.directory = join(ground.directory, this.name);
  }

  static async set(options: StandOptions): Promise<Stand> {
    const stand = new Stand(options);
    try {
      await stand.#begin();
    } catch (error) {
      await stand[Symbol.asyncDispose]();
      throw error;
    }
    return stand;
  }

  /** What its container showed before any agent came. */
  get before(): Shown {
    if (this.#before === undefined) throw new Error('it has not begun');
    return this.#before;
  }

  /** The name by which the service's image is known on its machine, as an operator wrote it. */
  get reference(): string {
    return `${this.options.ground.registry.host}/${this.name}:current`;
  }

  get rollout(): number {
    return this.#orders?.rollout ?? 0;
  }

  /** The agent as it is; with a point, the announced one, which is held there. */
  startAgent(kind: 'plain' | 'announced', holdAt?: Point): Program {
    const { ground, machine } = this.options;
    this.#agent = new Program({
      program: 'agent',
      ...(kind === 'announced' && { entry: 'test/crash/agent-under-test.ts' }),
      logFile: `${this.directory}.log`,
      environment: {
        DOCKER_HOST: machine.dockerHost,
        SWELL_NATS_SERVERS: ground.url,
        SWELL_REGION: REGION,
        SWELL_NODE: this.name,
        SWELL_STACK: this.name,
        SWELL_STATE_DIR: this.directory,
        SWELL_STATUS_HOST: '127.0.0.1',
        SWELL_STATUS_PORT: '0',
        // What it has looked at is told at this level.
        SWELL_LOG_LEVEL: 'debug',
        ...(holdAt !== undefined && { SWELL_CRASH_AT: formatPoint(holdAt) }),
      },
    });
    return this.#agent;
  }

  /** Resolves once the node's last word is a result that stands, and its slot is free. */
  async untilOver(): Promise<void> {
    const { flow, ground } = this.options;
    let isOver = false;
    let isHeld = false;
    await ground.log.until((entry) => {
      if (serviceOf(entry) !== this.service) return undefined;
      if (entry.kind === 'slot') isHeld = entry.holder !== undefined;
      if (entry.kind === 'report') {
        const { status } = entry.report;
        // Well on what will be halted is not the end.
        isOver = isResult(status) && status !== 'interrupted' && !(flow.isHalted && status === 'healthy');
      }
      return isOver && !isHeld ? true : undefined;
    });
  }

  /** What the log tells of this service so far. */
  entries(): readonly LogEntry[] {
    return this.options.ground.log.entries.filter((entry) => serviceOf(entry) === this.service);
  }

  /** Every container of the service. */
  async containers(): Promise<readonly Docker.ContainerInspectInfo[]> {
    const { docker } = this.options.machine;
    const filters = { label: [`${STACK_LABEL}=${this.name}`] };
    const found = await docker.listContainers({ all: true, filters });
    return Promise.all(found.map(({ Id }) => docker.getContainer(Id).inspect()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    this.#orders?.[Symbol.dispose]();
    await removeContainers(this.options.machine.docker, this.name);
  }

  async #begin(): Promise<void> {
    const { ground, machine, flow, slotLeaseMs } = this.options;
    const image = await machine.copyTo(this.name, flow.brings);
    await this.#runContainer('v1');
    if (flow.startsOn !== 'v1') await this.#updateTo(image);
    const [container] = await this.containers();
    if (container === undefined) throw new Error('the container is not there');
    this.#before = shown(container);
    this.#orders = await Orders.open({
      bus: ground.bus,
      region: REGION,
      service: this.service,
      image,
      flow,
      slotLeaseMs,
    });
    if (flow.isHalted) void this.#haltOnceHealthy(this.#orders);
  }

  async #haltOnceHealthy(orders: Orders): Promise<void> {
    await this.options.ground.log.untilReport(this.name, 'healthy', orders.rollout);
    await orders.halt();
  }

  async #runContainer(tag: ImageTag): Promise<void> {
    const { ground, machine, port } = this.options;
    const { docker } = machine;
    const [front, back] = machine.networks;
    const repo = `${ground.registry.host}/${this.name}`;
    await docker.getImage(await machine.imageId(tag)).tag({ repo, tag: 'current' });
    const made = await docker.createContainer({
      name: this.name,
      Image: this.reference,
      Env: ['GREETING=hello'],
      Volumes: { '/data': {} },
      Labels: { [SERVICE_LABEL]: this.service, [STACK_LABEL]: this.name, [TEST_LABEL]: this.name },
      HostConfig: {
        NetworkMode: front,
        RestartPolicy: { Name: 'unless-stopped' },
        // As the docker CLI says it; where nothing is said, dockerd itself makes this of it when it is restarted.
        Dns: [],
        DnsOptions: [],
        DnsSearch: [],
        PortBindings: { [`${WEB_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: `${port}` }] },
      },
      NetworkingConfig: { EndpointsConfig: { [front]: { Aliases: ['web'] } } },
    });
    await docker.getNetwork(back).connect({ Container: made.id, EndpointConfig: { Aliases: ['behind'] } });
    await made.start();
  }

  /** The update that a halt will take back: the real engine's work, with no agent that could die of it. */
  async #updateTo(image: PinnedImage): Promise<void> {
    const { docker } = this.options.machine;
    const scope = { label: STACK_LABEL, value: this.name };
    await using engine = new DockerEngine({ docker, scope, auth: async () => undefined });
    await engine.stageImage(image, AbortSignal.timeout(60_000));
    await engine.prepareSwap({
      service: this.service,
      attempt: '1.update.1',
      target: { kind: 'release', image },
      lastGood: 'running',
    });
    await engine.cutOver(this.service);
    await engine.commitSwap(this.service);
  }
}

function serviceOf(entry: LogEntry): ServiceName | undefined {
  switch (entry.kind) {
    case 'wave':
      return entry.wave.service;
    case 'report':
      return entry.report.service;
    case 'event':
      return entry.event.service;
    default:
      return entry.service;
  }
}
