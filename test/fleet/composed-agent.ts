/** An agent beside whatever else a Compose project has, as docs/OPERATIONS.md tells an operator to write it. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../scripts/setup/run-command.ts';
import { pushImage, TEST_LABEL } from '../support/docker.ts';
import { toolPath } from '../support/tools.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import type { AgentPlace, OwnAgents } from './own-agents.ts';

const TIMEOUT_MS = 240_000;
const COMPOSED = 'agent';
/** What the operator's file calls the agent's image, whatever that stands for. */
const CURRENT = 'current';
/** What a container finds this machine by. */
const THIS_MACHINE = 'swell.test.internal';

export class ComposedAgent {
  readonly #fleet: Fleet;
  readonly #agents: OwnAgents;
  readonly #project: string;
  readonly #file: string;

  private constructor(fleet: Fleet, agents: OwnAgents, file: string) {
    this.#fleet = fleet;
    this.#agents = agents;
    this.#project = projectOf(fleet);
    this.#file = file;
  }

  static place(fleet: Fleet): AgentPlace {
    const project = projectOf(fleet);
    return {
      labels: [`com.docker.compose.project=${project}`, `com.docker.compose.service=${COMPOSED}`],
      name: `${project}-${COMPOSED}-1`,
    };
  }

  /** @param socket by which it reaches Docker */
  static async write(
    fleet: Fleet,
    node: FleetNode,
    agents: OwnAgents,
    socket: string,
  ): Promise<ComposedAgent> {
    const file = join(fleet.directory, 'compose.json');
    const labels = { [TEST_LABEL]: fleet.id };
    const agent = {
      image: agents.reference(CURRENT),
      labels: { ...labels, 'swell.service': 'agent' },
      restart: 'always',
      environment: {
        SWELL_NODE: node.name,
        SWELL_REGION: node.region,
        SWELL_NATS_SERVERS: fleet.server.url.replace('127.0.0.1', THIS_MACHINE),
        SWELL_PRESENCE_EVERY_MS: '5000',
      },
      volumes: [`${socket}:/var/run/docker.sock`, 'agent:/var/lib/swell'],
      extra_hosts: [`${THIS_MACHINE}:host-gateway`],
      // The image's own, asked more often.
      healthcheck: { interval: '1s' },
      // Whoever is held in the middle of a step is not waited for.
      stop_grace_period: '1s',
    };
    const networks = { default: { labels } };
    // JSON is YAML.
    await writeFile(
      file,
      JSON.stringify({ services: { [COMPOSED]: agent }, networks, volumes: { agent: { labels } } }),
    );
    return new ComposedAgent(fleet, agents, file);
  }

  /** Runs `docker compose <words>`. */
  run(...words: readonly string[]): Promise<string> {
    return runCommand(toolPath('docker-compose'), ['-p', this.#project, '-f', this.#file, ...words], {
      timeoutMs: TIMEOUT_MS,
    });
  }

  async up(): Promise<void> {
    await this.run('up', '-d', '--quiet-pull');
  }

  /** What the registry's tag of the operator's file stands for from now on, and the one on this machine. */
  async point(tag: string): Promise<void> {
    const { docker } = this.#fleet;
    const repository = this.#repository;
    await docker.getImage(this.#agents.reference(tag)).tag({ repo: repository, tag: CURRENT });
    await this.push();
  }

  /** The registry's tag stands for what the one on this machine stands for. */
  async push(): Promise<void> {
    await pushImage(this.#fleet.docker, { repository: this.#repository, tag: CURRENT, version: CURRENT });
  }

  get #repository(): string {
    const reference = this.#agents.reference(CURRENT);
    return reference.slice(0, reference.lastIndexOf(':'));
  }
}

function projectOf({ id }: Fleet): string {
  return `swell-own-${id}`;
}
