/**
 * One machine whose agent is a service of its own: real agents that take turns, the real engine over a modelled dockerd, the
 * node's lease on a modelled disk, and a real coordinator that releases the agent's next image. What really is, is judged
 * at every change: who acts, and that Docker would start an agent again; and when all is over, that exactly one is left.
 */

import { DockerEngine } from '@swell/agent/adapters/docker/docker-engine.ts';
import { Dockerd } from '@swell/agent/adapters/docker/dockerd.ts';
import { SelfEngine } from '@swell/agent/adapters/docker/self/self-engine.ts';
import { LeaseFiles } from '@swell/agent/adapters/lease-files.ts';
import type { Holder } from '@swell/agent/core/node-lease.ts';
import { takeTurns } from '@swell/agent/shell/taking-turns.ts';
import { BusError } from '@swell/shared/adapters/bus.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { controlSubject, policyKey, releaseSubject } from '@swell/shared/protocol/subjects.ts';
import type { StreamShape } from '../bus/definition.ts';
import { ModelServer } from '../bus-model.ts';
import { Chance } from '../chance.ts';
import { LATENCY_MS, type Running, startCoordinator } from '../fleet-models.ts';
import { LogReader } from '../judge/reader.ts';
import { Process } from '../process.ts';
import { RegistryModel } from '../registry-model.ts';
import { VirtualTime } from '../time.ts';
import { digestOf } from '../world.ts';
import { DiskModel } from './disk-model.ts';
import { dockerClient, HOST_CONFIG, STATE_DIR } from './docker-client.ts';
import { DockerdModel, type ModelContainer, type ModelImage, type Program } from './dockerd-model.ts';
import { NodeTruth } from './truth.ts';

export const SERVICE = 'agent';
const START_MS = 1_750_000_000_000;
const PLACE = { region: 'eu-west', node: 'n0' } as const;
const REPOSITORY = 'registry.example/agent';
const TAGS = ['v1', 'v2', 'v3'] as const;
const POLICY = {
  stages: [100],
  approval: 'automatic',
  maxUnavailable: 1,
  stagingQuorum: '100%',
  stagingSpread: '1s',
  soak: '0s',
  failureBudget: { max: '90%', minSample: 100 },
  slotLease: '30s',
  health: { docker: true, interval: '1s', minHealthyTime: '5s', healthyDeadline: '30s' },
};
const silent = createLogger({ name: 'simulated', level: 'silent' });

/**
 * What an image of the agent is like: `unproven` cannot reach the bus, `ends` as soon as it has begun.
 */
export type Nature = 'well' | 'sick' | 'unproven' | 'ends';
export type Tag = (typeof TAGS)[number];

/** An agent that runs in a container. */
export interface RunningAgent extends Program {
  readonly container: ModelContainer;
  readonly process: Process;
  readonly holder: Holder;
}

export class OneNode implements Disposable {
  readonly chance: Chance;
  readonly time = new VirtualTime(START_MS);
  readonly server: ModelServer;
  readonly dockerd: DockerdModel;
  readonly disk: DiskModel;
  readonly truth: NodeTruth;
  readonly #natures = new Map<string, Nature>();
  readonly #coordinator: Running;
  readonly #agents: RunningAgent[] = [];
  #boot = 'boot-1';
  #runs = 0;
  /** Told of each effect that leaves an agent: where it may die, or be stopped. */
  onEffect: (agent: RunningAgent, name: string, when: 'before' | 'after') => void = () => {};

  /** @param policy the restart policy of the agent's container */
  constructor(seed: string, shapes: readonly StreamShape[], policy: 'always' | 'unless-stopped') {
    this.chance = new Chance(seed);
    this.disk = new DiskModel(this.time, this.chance.fork('disk'));
    this.server = new ModelServer(this.time, this.chance.fork('bus'), shapes, 1);
    const reader = new LogReader(shapes);
    this.server.onStored = (stream, message) => {
      const entry = reader.read(stream, message, this.time.nowMs);
      if (entry !== undefined) this.truth.sawEntry(entry);
    };
    const registry = new RegistryModel();
    for (const tag of TAGS) registry.tags.set(tag, digestOf(tag));
    this.dockerd = new DockerdModel(this.time, this.chance.fork('dockerd'), TAGS.map(imageOf));
    this.dockerd.onStart = (container) => this.#startAgent(container);
    const { time, dockerd, disk } = this;
    this.truth = new NodeTruth({ service: SERVICE, time, dockerd, disk, policy });
    this.dockerd.onChange = () => this.truth.sawChange();
    this.dockerd.tag(digestOf('v1'), `${REPOSITORY}:latest`);
    const ground = {
      time: this.time,
      chance: this.chance.fork('programs'),
      server: this.server,
      onHandled: () => {},
      onLed: () => {},
      onCrash: (name: string, error: unknown) => this.truth.crashed(name, error),
    };
    this.#coordinator = startCoordinator(ground, registry, 'north', 1);
    const { id } = this.dockerd.create({
      name: SERVICE,
      Image: `${REPOSITORY}:latest`,
      Labels: { 'swell.service': SERVICE },
      HostConfig: { ...HOST_CONFIG, RestartPolicy: { Name: policy } },
    });
    this.dockerd.start(id);
  }

  /** Those that run, frozen or not. */
  get agents(): readonly RunningAgent[] {
    return this.#agents.filter(({ process }) => process.isAlive);
  }

  /** Lets time pass until something is so, or a rule is broken; was it? */
  async run(forMs: number, isOver: () => boolean = () => false): Promise<boolean> {
    await this.time.run(this.time.nowMs + forMs, () => this.truth.violation !== undefined || isOver());
    return isOver();
  }

  /** Programs have come up, and the first policy is in force. */
  async open(): Promise<void> {
    await this.run(15_000);
    this.server.say(policyKey(SERVICE), encode(POLICY));
    await this.run(5_000);
  }

  release(tag: Tag, nature: Nature): void {
    this.#natures.set(digestOf(tag), nature);
    this.server.say(releaseSubject(SERVICE), encode({ image: `${REPOSITORY}:${tag}`, version: tag }));
  }

  halt(): void {
    this.server.say(controlSubject(SERVICE), encode({ action: 'halt', reason: 'a person' }));
  }

  /** The machine is off, and comes back as another boot. */
  reboot(offMs: number): void {
    for (const { process } of this.agents) process.kill();
    this.#boot = `${this.#boot}+`;
    this.restartDockerd(offMs);
  }

  /** It is back so long after its containers have ended. */
  restartDockerd(offMs: number): void {
    void this.dockerd.down().then(() => this.time.after(offMs, () => this.dockerd.up()));
  }

  [Symbol.dispose](): void {
    for (const { process } of this.#agents) process.kill();
    for (const agent of this.#agents) void agent.stop();
    this.#coordinator.abandon();
  }

  #startAgent(container: ModelContainer): RunningAgent {
    this.#runs += 1;
    const name = `agent in ${container.id.slice(-2)}#${this.#runs}`;
    const chance = this.chance.fork(name);
    const process = new Process(name, this.time, chance);
    const stopping = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const run = { boot: this.#boot, pidNamespace: name, pid: 1, startedAt: `${this.time.nowMs}` };
    const agent: RunningAgent = {
      container,
      process,
      holder: { container: container.id, run },
      async stop() {
        stopping.abort();
        await ended;
      },
      kill: () => process.kill(),
    };
    this.#agents.push(agent);
    process.onEffect = (effect, when) => this.onEffect(agent, effect, when);
    void this.#live(agent, stopping.signal)
      .then(
        () => process.isAlive && this.dockerd.exited(container, agent),
        (error: unknown) => process.isAlive && !stopping.signal.aborted && this.truth.crashed(name, error),
      )
      .then(() => end());
    if (this.#natureOf(container) === 'ends') this.time.after(50, () => this.dockerd.kill(container));
    return agent;
  }

  async #live(agent: RunningAgent, signal: AbortSignal): Promise<void> {
    const { container, process, holder } = agent;
    const { host } = process;
    const onDeed = (name: string): void => this.truth.sawDeed(process, holder, name);
    const docker = dockerClient({
      dockerd: this.dockerd,
      process,
      time: this.time,
      chance: this.chance.fork(`docker of ${process.name}`),
      isHealthy: (one) => this.#natureOf(one) === 'well',
      onDeed,
    });
    const options = { docker, ownContainer: container.id };
    const files = await LeaseFiles.open(STATE_DIR, process.name, this.disk.leaseDisk(process));
    await takeTurns(
      {
        ...PLACE,
        presenceEveryMs: 60_000,
        host,
        logger: silent,
        operator: { read: async () => ({ ok: true, value: [] }) },
        onHandled: () => {},
        files,
        me: holder,
        // In a container's namespace there is nobody else.
        isAlive: async (mark) => sameValue(mark, holder.run),
        journals: this.disk.journals(process, onDeed),
        source: {
          open: (acting) =>
            new LevelTriggered({
              engine: new DockerEngine({ ...options, onStep: () => acting.assertHeld() }),
              dockerd: new Dockerd(docker),
              own: { id: container.id, service: SERVICE },
              stateDir: STATE_DIR,
              acting,
              monotonicMs: () => host.monotonicMs(),
            }),
          openToLook: () => new DockerEngine(options),
        },
        connectBus: async (_signal, firstConnectTimeoutMs) => {
          const bus = this.server.connect(process, { latencyMs: LATENCY_MS });
          if (!Number.isFinite(firstConnectTimeoutMs)) return bus;
          if (bus.connection === 'connected' && this.#natureOf(container) !== 'unproven') return bus;
          await bus[Symbol.asyncDispose]();
          throw new BusError('unavailable', 'the bus is out of reach');
        },
        onTurn: () => {},
      },
      signal,
    );
  }

  #natureOf({ imageId }: ModelContainer): Nature {
    return this.#natures.get(imageId) ?? 'well';
  }
}

/** Nobody tells it of changes: it looks again and again. */
class LevelTriggered extends SelfEngine {
  override async *changes(): AsyncGenerator<never> {}
}

function imageOf(tag: Tag): ModelImage {
  return {
    Id: digestOf(tag),
    RepoDigests: [`${REPOSITORY}@${digestOf(tag)}`],
    Config: { Labels: { 'swell.agent.standby': '1' } },
  };
}
