/**
 * A dockerd of a test's own, which it may end and start again: with a socket, data, a namespace and a bridge of its own, and
 * without rules for packets. Its containers live in the machine's network. A dockerd that is told to have no bridge
 * (`--bridge=none`) would take `docker0` away from the machine's own one.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { runCommand } from '../../scripts/setup/run-command.ts';

const START_PATIENCE_MS = 60_000;
const COMMAND_TIMEOUT_MS = 60_000;
/** Nobody asks for it; of those that are kept for documents. */
const BRIDGE_ADDRESS = '192.0.2.1/24';

export class OwnDockerd implements AsyncDisposable {
  readonly #directory: string;
  readonly docker: Docker;
  #child: ChildProcess | undefined;
  #hasBegun = false;
  #hasBridge = false;

  private constructor(directory: string) {
    this.#directory = directory;
    this.docker = new Docker({ socketPath: this.socket });
  }

  static async start(): Promise<OwnDockerd> {
    const own = new OwnDockerd(await mkdtemp(join(tmpdir(), 'swell-dockerd-')));
    try {
      await own.#ip('link', 'add', 'name', own.#bridge, 'type', 'bridge');
      own.#hasBridge = true;
      await own.#ip('address', 'add', BRIDGE_ADDRESS, 'dev', own.#bridge);
      await own.begin();
    } catch (error) {
      await own[Symbol.asyncDispose]();
      throw error;
    }
    return own;
  }

  get socket(): string {
    return join(this.#directory, 'docker.sock');
  }

  /** Starts it, and waits until it answers. */
  async begin(): Promise<void> {
    const at = (name: string): string => join(this.#directory, name);
    const namespace = this.#directory.slice(this.#directory.lastIndexOf('/') + 1);
    const log = openSync(at('log'), 'a');
    const options = {
      host: `unix://${this.socket}`,
      'data-root': at('data'),
      'exec-root': at('exec'),
      pidfile: at('pid'),
      bridge: this.#bridge,
      iptables: 'false',
      'ip-forward': 'false',
      // Where the machine has a containerd, both dockerds work with it.
      'containerd-namespace': namespace,
      'containerd-plugins-namespace': `plugins-${namespace}`,
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = spawn('dockerd', args, { stdio: ['ignore', log, log] });
    closeSync(log);
    let failed: Error | undefined;
    child.once('error', (error) => {
      failed = error;
    });
    this.#child = child;
    const deadline = performance.now() + START_PATIENCE_MS;
    while (!(await this.#answers())) {
      if (failed !== undefined) throw new Error(`dockerd cannot be run: ${failed.message}`);
      if (!isRunning(child)) throw new Error(`dockerd ended: ${await this.#lastWords()}`);
      if (performance.now() > deadline) throw new Error(`dockerd is silent: ${await this.#lastWords()}`);
      await delay(100);
    }
    this.#hasBegun = true;
  }

  /** Ends it: in order, with its containers, or at once, and they run on until it starts again. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    // One that is about to follow it would be taken for one that runs on.
    while (await this.#hasContainerd()) await delay(50);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasBegun) {
      // Containers of one that was ended at once run on.
      if (!(await this.#answers())) await this.begin();
      const containers = await this.docker.listContainers({ all: true });
      await Promise.all(containers.map(({ Id }) => this.docker.getContainer(Id).remove({ force: true })));
    }
    await this.end('SIGTERM');
    for (const path of (await this.#mounts()).toReversed())
      await runCommand('umount', ['--lazy', path], { timeoutMs: COMMAND_TIMEOUT_MS });
    await rm(this.#directory, { recursive: true, force: true });
    if (this.#hasBridge) await this.#ip('link', 'delete', this.#bridge);
  }

  async #hasContainerd(): Promise<boolean> {
    const file = join(this.#directory, 'exec', 'containerd', 'containerd.pid');
    const pid = Number(await readFile(file, 'utf8').catch(() => '0'));
    return pid > 0 && existsSync(`/proc/${pid}`);
  }

  /** No interface's name is longer than fifteen letters. */
  get #bridge(): string {
    return `swell-${this.#directory.slice(-6)}`;
  }

  async #ip(...words: readonly string[]): Promise<void> {
    await runCommand('ip', words, { timeoutMs: COMMAND_TIMEOUT_MS });
  }

  /** What it leaves mounted when it ends. */
  async #mounts(): Promise<readonly string[]> {
    const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
    return lines.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(this.#directory));
  }

  async #answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }

  async #lastWords(): Promise<string> {
    const lines = (await readFile(join(this.#directory, 'log'), 'utf8')).trimEnd().split('\n');
    return lines.at(-1) ?? '';
  }
}

/** Why a dockerd cannot be started here, if so. */
export async function whyNoOwnDockerd(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux can start a dockerd';
  try {
    await using _own = await OwnDockerd.start();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}
