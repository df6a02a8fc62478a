/**
 * The agent's image as its Dockerfile describes it. Where the base image cannot be pulled, its files are laid out here, by
 * the same script and with the Node that runs this, and only the Dockerfile's last stage is built.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import type { Program } from '../../scripts/image/bundle.ts';
import { layOutImage } from '../../scripts/image/root-folder.ts';
import { answerTo } from '../../scripts/setup/download.ts';
import { root } from '../../scripts/setup/places.ts';
import { runCommand } from '../../scripts/setup/run-command.ts';
import { buildEnded, TEST_LABEL } from './docker.ts';

const BUILD_TIMEOUT_MS = 900_000;

export interface AgentImage {
  readonly id: string;
  readonly bytes: number;
  /** Whose Node is in it: the base image's, or `here`. */
  readonly nodeOf: string;
}

/** @param label removed with everything else that bears it */
export async function buildAgentImage(docker: Docker, label: string): Promise<AgentImage> {
  const tag = `swell-local/agent:${label}`;
  const base = /^ARG BASE=(\S+)$/m.exec(await dockerfile('agent'))?.[1] ?? '';
  const nodeOf = await pulled(docker, base).then(
    () => base,
    () => 'here',
  );
  await (nodeOf === 'here' ? buildHere(docker, tag, label) : buildWhole(tag, label));
  const { Id, Size } = await docker.getImage(tag).inspect();
  return { id: Id, bytes: Size, nodeOf };
}

/** How Node is called in a program's image, as its Dockerfile says: with which flags, and which environment. */
export async function nodeInImage(program: Program): Promise<{
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}> {
  const text = await dockerfile(program);
  const entrypoint = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(text)?.[1] ?? '[]') as readonly string[];
  const variables = (/^ENV (.+)$/m.exec(text)?.[1] ?? '').split(' ').map((pair) => pair.split('='));
  return { flags: entrypoint.slice(1, -1), environment: Object.fromEntries(variables) };
}

function dockerfile(program: Program): Promise<string> {
  return readFile(join(root, pathOf(program)), 'utf8');
}

function pathOf(program: Program): string {
  return `packages/${program}/Dockerfile`;
}

async function pulled(docker: Docker, image: string): Promise<void> {
  const progress = await answerTo((abortSignal) => docker.pull(image, { abortSignal }));
  await buildEnded(docker, progress);
}

/** As a user does. */
async function buildWhole(tag: string, label: string): Promise<void> {
  const labelled = ['--label', `${TEST_LABEL}=${label}`];
  await runCommand('docker', ['build', '-q', ...labelled, '-f', pathOf('agent'), '-t', tag, '.'], {
    cwd: root,
    timeoutMs: BUILD_TIMEOUT_MS,
  });
}

async function buildHere(docker: Docker, tag: string, label: string): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'swell-agent-image-'));
  try {
    await layOutImage('agent', join(context, 'image'));
    const last = (await dockerfile('agent')).split(/^(?=FROM scratch$)/m).at(-1) ?? '';
    await mkdir(join(context, 'state'));
    const first = 'FROM scratch AS build\nCOPY image /image\nCOPY state /state\n';
    await writeFile(join(context, 'Dockerfile'), `${first}${last}`);
    const labels = { [TEST_LABEL]: label };
    const build = { context, src: ['Dockerfile', 'image', 'state'] };
    await buildEnded(docker, await docker.buildImage(build, { t: tag, labels }));
  } finally {
    await rm(context, { recursive: true });
  }
}
