/** Coordinators as programs, on a bus and beside a registry of a test's own; whoever they lead is the test's matter. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { policyKey, releaseSubject } from '@swell/shared/protocol/subjects.ts';
import { connectPatiently } from '../support/bus.ts';
import {
  type DockerRegistry,
  type DockerRegistryOptions,
  pushImage,
  startDockerRegistry,
} from '../support/docker-registry.ts';
import { type NatsServer, startNats } from '../support/nats.ts';
import { FleetLog } from './fleet-log.ts';
import { type LogLine, Program } from './programs.ts';

/** Short, so that nobody waits long for the next one after a death. */
const LEASE_MS = 1_000;

export const isLeading = ({ msg }: LogLine): boolean => msg === 'leading';

interface Parts {
  readonly directory: string;
  readonly server: NatsServer;
  readonly registry: DockerRegistry;
  readonly bus: NatsBus;
}

export class Coordinators implements AsyncDisposable {
  readonly directory: string;
  readonly server: NatsServer;
  readonly registry: DockerRegistry;
  /** An observer's. */
  readonly bus: NatsBus;
  readonly log: FleetLog;
  /** In the order in which they were started. */
  readonly programs: Program[] = [];
  /** Something went wrong: their logs stay where they are. */
  keepsLogs = false;

  private constructor({ directory, server, registry, bus }: Parts) {
    this.directory = directory;
    this.server = server;
    this.registry = registry;
    this.bus = bus;
    this.log = new FleetLog(bus);
  }

  /** A bus and a registry; nobody leads yet. */
  static async open(options: DockerRegistryOptions = {}): Promise<Coordinators> {
    const directory = await mkdtemp(join(tmpdir(), 'swell-coordinators-'));
    const [server, registry] = await Promise.all([startNats(), startDockerRegistry(options)]);
    return new Coordinators({ directory, server, registry, bus: await connectPatiently(server, 'observer') });
  }

  start(name: string, environment: Readonly<Record<string, string>> = {}): Program {
    const program = new Program({
      program: 'coordinator',
      logFile: join(this.directory, `${this.programs.length}-${name}.log`),
      environment: {
        SWELL_NATS_SERVERS: this.server.url,
        SWELL_NAME: name,
        SWELL_STATUS_HOST: '127.0.0.1',
        SWELL_STATUS_PORT: '0',
        SWELL_LEASE_MS: String(LEASE_MS),
        SWELL_PULSE_EVERY_MS: '200',
        ...environment,
      },
    });
    this.programs.push(program);
    return program;
  }

  /** Starts one, and waits until it leads. */
  async lead(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Program> {
    const program = this.start(name, environment);
    await program.line(isLeading);
    return program;
  }

  /** Writes a policy; returns the event that answers it. */
  async policy(service: string, policy: object): Promise<FleetEvent> {
    const subject = policyKey(service);
    const { sequence } = await this.bus.publish({ subject, body: encode(policy), line: 'policy' });
    return this.log.until((entry) =>
      entry.kind === 'event' && entry.event.revision === sequence && entry.event.name.startsWith('policy-')
        ? entry.event
        : undefined,
    );
  }

  /** Pushes an image of nothing but its tag, and releases it. */
  async release(
    service: string,
    tag: string,
    more: object = {},
  ): Promise<{ readonly rollout: number; readonly digest: Digest }> {
    const { digest } = await pushImage(this.registry, service, tag, tag);
    const body = encode({ image: `${this.registry.host}/${service}:${tag}`, ...more });
    const { sequence } = await this.bus.publish({ subject: releaseSubject(service), body, line: 'release' });
    return { rollout: sequence, digest };
  }

  /** The first event of that name, told already or still to come, that fits. */
  event(name: EventName, fits: (event: FleetEvent) => boolean = () => true): Promise<FleetEvent> {
    return this.log.until((entry) =>
      entry.kind === 'event' && entry.event.name === name && fits(entry.event) ? entry.event : undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.programs.map((program) => program[Symbol.asyncDispose]()));
    await this.bus[Symbol.asyncDispose]();
    await this.server.stop();
    await this.registry[Symbol.asyncDispose]();
    if (!this.keepsLogs) await rm(this.directory, { recursive: true });
  }
}
