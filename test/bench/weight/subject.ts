/** Programs to be weighed: started, left alone, asked for their account, ended. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { TEST_LABEL } from '../../support/docker.ts';

export interface Subject extends AsyncDisposable {
  /** The kernel's account of its memory. */
  account(): Promise<string>;
}

export interface ProcessOptions {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Node as a process of this machine. */
export async function startProcess({ args, environment }: ProcessOptions): Promise<Subject> {
  const child = spawn(process.execPath, args, {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], DOCKER_HOST: process.env['DOCKER_HOST'], ...environment },
  });
  await once(child, 'spawn');
  return {
    account: () => readFile(`/proc/${child.pid}/smaps_rollup`, 'utf8'),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export interface ContainerOptions {
  readonly image: string;
  /** Removed with everything else that bears it. */
  readonly label: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Instead of the image's own program. */
  readonly command?: readonly string[];
  readonly host?: Docker.HostConfig;
}

/** A container of an image that has Node in it. */
export async function startContainer(docker: Docker, options: ContainerOptions): Promise<Subject> {
  const { image, label, environment = {}, command, host = {} } = options;
  const [entrypoint, ...rest] = command ?? [];
  const container = await docker.createContainer({
    Image: image,
    Labels: { [TEST_LABEL]: label },
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(entrypoint !== undefined && { Entrypoint: [entrypoint], Cmd: rest }),
    Healthcheck: { Test: ['NONE'] },
    HostConfig: host,
  });
  await container.start();
  return {
    account: () => printedBy(container, READ_ACCOUNT),
    async [Symbol.asyncDispose]() {
      await container.remove({ force: true, v: true });
    },
  };
}

/** From inside, as whoever looks from outside need not be the container's user, nor on its machine. */
const READ_ACCOUNT = [
  'node',
  '-e',
  "process.stdout.write(require('fs').readFileSync('/proc/1/smaps_rollup'))",
];

async function printedBy(container: Docker.Container, command: readonly string[]): Promise<string> {
  const exec = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, Tty: true });
  const output = await exec.start({ Tty: true });
  const parts: Buffer[] = [];
  output.on('data', (part: Buffer) => parts.push(part));
  await once(output, 'end');
  return Buffer.concat(parts).toString().replaceAll('\r', '');
}
