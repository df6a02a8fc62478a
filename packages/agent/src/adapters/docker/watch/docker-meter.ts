/** {@link Meter} on dockerd: what its one-shot statistics tell, as `docker stats` counts it. */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { Measured, Meter, Usage } from '../../meter.ts';
import type { DockerEngine } from '../docker-engine.ts';
import type { Dockerd } from '../dockerd.ts';
import { digestsOf } from '../images/images.ts';
import { type InspectedContainer, plainName } from '../inspected.ts';
import { presentParts } from '../swap/members.ts';

const STATS_TIMEOUT_MS = 5_000;

const statsSchema = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({
    usage: z.number(),
    stats: z.object({ inactive_file: z.number(), total_inactive_file: z.number() }).partial().optional(),
  }),
});

export class DockerMeter implements Meter {
  readonly #docker: Docker;
  readonly #dockerd: Dockerd;
  readonly #engine: Pick<DockerEngine, 'look'>;

  constructor(docker: Docker, dockerd: Dockerd, engine: Pick<DockerEngine, 'look'>) {
    this.#docker = docker;
    this.#dockerd = dockerd;
    this.#engine = engine;
  }

  async measure(service: ServiceName): Promise<readonly Measured[]> {
    const parts = presentParts(await this.#engine.look(service));
    const containers = await this.#dockerd.containers(parts.map(({ id }) => id));
    return Promise.all(containers.map((container) => this.#measure(container)));
  }

  async #measure(container: InspectedContainer): Promise<Measured> {
    const { Id, Name, Image, RestartCount = 0, State } = container;
    const [image, usage] = await Promise.all([
      this.#dockerd.image(Image),
      State.Running ? this.#usage(Id) : undefined,
    ]);
    return {
      container: plainName(Name),
      digests: image === undefined ? [] : digestsOf(image),
      isHealthy: isHealthy(State),
      restarts: RestartCount,
      ...(usage !== undefined && { usage }),
    };
  }

  /** None of one that has just ended, and none where dockerd takes too long. */
  async #usage(id: string): Promise<Usage | undefined> {
    const once = { stream: false, 'one-shot': true, abortSignal: AbortSignal.timeout(STATS_TIMEOUT_MS) };
    const stats: unknown = await this.#docker
      .getContainer(id)
      .stats(once as { stream: false })
      .catch(() => undefined);
    return readUsage(stats);
  }
}

function isHealthy({ Running, Restarting, Health }: InspectedContainer['State']): boolean {
  const says = Health?.Status;
  return Running && Restarting !== true && (says === undefined || says === 'healthy' || says === 'none');
}

/** Files that were read once and lie about are not counted: the kernel takes their room back when somebody needs it. */
export function readUsage(stats: unknown): Usage | undefined {
  const read = statsSchema.safeParse(stats);
  if (!read.success) return undefined;
  const { cpu_stats, memory_stats } = read.data;
  const { usage, stats: more = {} } = memory_stats;
  // Of control groups version 1, which count it with those below.
  const idle = more.total_inactive_file ?? more.inactive_file ?? 0;
  return {
    cpuSeconds: cpu_stats.cpu_usage.total_usage / 1e9,
    memoryBytes: idle < usage ? usage - idle : usage,
  };
}
