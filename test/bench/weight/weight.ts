/**
 * What an agent weighs that has nothing to do: the real program, connected to a real bus and dockerd, with one service to
 * look after. Beside it, at the same time, Node from the same image that does nothing, and the agent from its source.
 */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { layOutProgram } from '../../../scripts/image/root-folder.ts';
import { root } from '../../../scripts/setup/places.ts';
import { type AgentImage, buildAgentImage, nodeInImage } from '../../support/agent-image.ts';
import { buildLocalImage, removeByLabel, TEST_LABEL, testDocker } from '../../support/docker.ts';
import { startNatsProcess } from '../../support/nats-process.ts';
import { freePorts } from '../../support/ports.ts';
import { median, rounded } from '../figures.ts';
import type { WeightOptions } from './options.ts';
import { type Subject, startContainer, startProcess } from './subject.ts';
import { type Weight, weightIn } from './weigh.ts';

const KINDS = ['agent', 'plainNode', 'fromSource'] as const;
type Kind = (typeof KINDS)[number];

export interface Summary extends Weight {
  /** Missing where there is no Docker: then the bundle ran as a process, without containers to look after. */
  readonly imageMb?: number;
  readonly plainNode: Weight;
  /** The same agent without a bundle and without flags: `node packages/agent/src/main.ts`. */
  readonly fromSource: Weight;
  readonly runs: number;
  readonly ran: 'container' | 'process';
  readonly nodeOf: string;
}

const IDLE = 'setInterval(() => {}, 2 ** 30)';
const READY_WITHIN_MS = 30_000;
const SOCKET_IN_CONTAINER = '/var/run/docker.sock';

interface Ground {
  readonly ran: Summary['ran'];
  readonly image?: AgentImage;
  begin(kind: Kind, environment: Readonly<Record<string, string>>): Promise<Subject>;
}

export async function weigh(
  { runs, restMs }: WeightOptions,
  dockerHost: string | undefined,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Summary> {
  const label = `weight-${randomUUID().slice(0, 8)}`;
  const directory = await mkdtemp(join(tmpdir(), 'swell-weight-'));
  await using bus = await startNatsProcess();
  const docker = dockerHost === undefined ? undefined : testDocker();
  try {
    const ground = await (docker === undefined
      ? processGround(directory)
      : containerGround(docker, dockerHost ?? '', label, say));
    const weights: Record<Kind, Weight[]> = { agent: [], plainNode: [], fromSource: [] };
    for (let run = 1; run <= runs; run += 1) {
      const weighed = await weighOnce(ground, { bus: bus.url, directory, label, restMs }, signal);
      for (const kind of KINDS) weights[kind].push(weighed[kind]);
      say(`${run} of ${runs}: ${KINDS.map((kind) => `${kind} ${shown(weighed[kind])}`).join(', ')}`);
    }
    const { image, ran } = ground;
    return {
      ...middle(weights.agent),
      ...(image !== undefined && { imageMb: rounded(image.bytes / 1024 ** 2, 1) }),
      plainNode: middle(weights.plainNode),
      fromSource: middle(weights.fromSource),
      runs,
      ran,
      nodeOf: image?.nodeOf ?? 'here',
    };
  } finally {
    if (docker !== undefined) await removeByLabel(docker, label);
    await rm(directory, { recursive: true, force: true });
  }
}

export function shown({ residentMb, privateMb, writtenMb }: Weight): string {
  return `${residentMb.toFixed(1)} MB resident, ${privateMb.toFixed(1)} private (${writtenMb.toFixed(1)} written)`;
}

/** All three at once, so that they share what they can share on a machine. */
async function weighOnce(
  ground: Ground,
  at: { readonly bus: string; readonly directory: string; readonly label: string; readonly restMs: number },
  signal: AbortSignal,
): Promise<Readonly<Record<Kind, Weight>>> {
  await using subjects = new AsyncDisposableStack();
  const begun: [Kind, Subject][] = [];
  for (const [index, port] of (await freePorts(KINDS.length)).entries()) {
    const kind = KINDS[index] ?? 'agent';
    const subject = subjects.use(
      await ground.begin(kind, {
        SWELL_REGION: 'bench',
        SWELL_NODE: kind,
        SWELL_NATS_SERVERS: at.bus,
        SWELL_STACK: at.label,
        SWELL_STATUS_HOST: '127.0.0.1',
        SWELL_STATUS_PORT: `${port}`,
        ...(kind === 'fromSource' && { SWELL_STATE_DIR: join(at.directory, kind) }),
      }),
    );
    if (kind !== 'plainNode') await ready(port);
    begun.push([kind, subject]);
  }
  await delay(at.restMs, undefined, { signal });
  const weights = await Promise.all(
    begun.map(async ([kind, subject]) => [kind, weightIn(await subject.account())] as const),
  );
  return Object.fromEntries(weights) as Record<Kind, Weight>;
}

async function containerGround(
  docker: Docker,
  dockerHost: string,
  label: string,
  say: (line: string) => void,
): Promise<Ground> {
  const image = await buildAgentImage(docker, label);
  say(`The image has ${rounded(image.bytes / 1024 ** 2, 1)} MB; its Node is of ${image.nodeOf}.`);
  await startService(docker, label);
  const socket = dockerHost.replace(/^unix:\/\//, '');
  const { gid } = await stat(socket);
  const host = {
    NetworkMode: 'host',
    Binds: [`${socket}:${SOCKET_IN_CONTAINER}`],
    GroupAdd: [`${gid}`],
  };
  return {
    ran: 'container',
    image,
    begin(kind, environment) {
      if (kind === 'fromSource') return fromSource(environment);
      return startContainer(docker, {
        image: image.id,
        label,
        ...(kind === 'agent' ? { environment, host } : { command: ['node', '-e', IDLE] }),
      });
    },
  };
}

/** Without Docker: the bundle, with the image's flags and environment. */
async function processGround(directory: string): Promise<Ground> {
  const bundle = await layOutProgram('agent', join(directory, 'swell'));
  const { flags, environment: own } = await nodeInImage('agent');
  const state = { SWELL_ENGINE: 'memory', SWELL_STATE_DIR: join(directory, 'state') };
  return {
    ran: 'process',
    begin(kind, environment) {
      if (kind === 'fromSource') return fromSource({ ...environment, SWELL_ENGINE: 'memory' });
      return kind === 'agent'
        ? startProcess({ args: [...flags, bundle], environment: { ...own, ...environment, ...state } })
        : startProcess({ args: ['-e', IDLE], environment: {} });
    },
  };
}

function fromSource(environment: Readonly<Record<string, string>>): Promise<Subject> {
  return startProcess({ args: [join(root, 'packages/agent/src/main.ts')], environment });
}

async function startService(docker: Docker, label: string): Promise<void> {
  const tag = { repository: 'swell-local/weight', tag: label };
  const image = await buildLocalImage(docker, { ...tag, version: 'v1', label });
  const container = await docker.createContainer({
    Image: image,
    Labels: { [TEST_LABEL]: label, 'swell.service': 'web', 'swell.stack': label },
  });
  await container.start();
}

async function ready(port: number): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    if (performance.now() > deadline) throw new Error(`not ready: ${(await answer?.text()) ?? 'no answer'}`);
    await delay(100);
  }
}

function middle(weights: readonly Weight[]): Weight {
  const of = (figure: keyof Weight): number => rounded(median(weights.map((one) => one[figure])), 1);
  return { residentMb: of('residentMb'), privateMb: of('privateMb'), writtenMb: of('writtenMb') };
}
