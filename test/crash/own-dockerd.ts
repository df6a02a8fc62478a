/**
 * A dockerd of a test's own, beside the machine's: its own data, its own containerd, and no hand on the machine's
 * firewall. It is ended and started again as a machine's would be, and nobody else's container notices.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { lastLine, runCommand } from '../../scripts/setup/run-command.ts';

const UP_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 50;
/** Networks for documents (RFC 5737): nobody's, unless somebody has made this machine of documents. */
const BRIDGE_NETWORKS = ['192.0.2', '198.51.100', '203.0.113'];

/** Why there can be none here; `undefined` where there can. */
export async function noOwnDockerd(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'a dockerd of its own needs root on Linux';
  return runCommand('dockerd', ['--version'], { timeoutMs: 10_000 }).then(
    () => undefined,
    () => 'dockerd is not installed here',
  );
}

export class OwnDockerd implements AsyncDisposable {
  readonly docker: Docker;
  readonly host: string;
  readonly #directory: string;
  /** Not none: a dockerd that is to have none takes the machine's `docker0` away. */
  readonly #bridge: string;
  #child: ChildProcess | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#bridge = `swell-${directory.slice(-6)}`;
    const socketPath = join(directory, 'docker.sock');
    this.host = `unix://${socketPath}`;
    this.docker = new Docker({ socketPath });
  }

  static async open(): Promise<OwnDockerd> {
    const dockerd = new OwnDockerd(await mkdtemp(join(tmpdir(), 'swell-dockerd-')));
    // Not the machine's own configuration.
    await writeFile(join(dockerd.#directory, 'daemon.json'), '{}');
    try {
      await dockerd.#addBridge();
      await dockerd.start();
    } catch (error) {
      await dockerd[Symbol.asyncDispose]();
      throw error;
    }
    return dockerd;
  }

  /** Starts it where the last one left off, and waits until it answers. */
  async start(): Promise<void> {
    const deadline = performance.now() + UP_WITHIN_MS;
    let child = this.#spawn();
    while (!(await this.#answers())) {
      if (performance.now() > deadline) throw new Error(`dockerd did not come up: ${await this.#lastWord()}`);
      // What the last one has left may still be on its way out.
      if (child.exitCode !== null) child = this.#spawn();
      await delay(ASK_EVERY_MS);
    }
  }

  /** `SIGTERM`: it stops its containers first, as before a reboot. `SIGKILL`: it is gone, and they run on. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM');
    // One that was killed has left its data mounted over itself.
    const data = join(this.#directory, 'data');
    await runCommand('umount', [data], { timeoutMs: 10_000 }).catch(() => {});
    await rm(this.#directory, { recursive: true, force: true });
    await ip('link', 'delete', this.#bridge).catch(() => {});
  }

  async #addBridge(): Promise<void> {
    await ip('link', 'add', 'name', this.#bridge, 'type', 'bridge');
    await ip('address', 'add', `${unusedNetwork()}.1/24`, 'dev', this.#bridge);
    await ip('link', 'set', this.#bridge, 'up');
  }

  #spawn(): ChildProcess {
    const at = (name: string): string => join(this.#directory, name);
    const namespace = `swell-${this.#directory.slice(-6)}`;
    const log = openSync(at('log'), 'a');
    // Its containers are reached from this machine at their addresses, and by docker-proxy.
    const options = {
      'config-file': at('daemon.json'),
      host: this.host,
      pidfile: at('pid'),
      'data-root': at('data'),
      'exec-root': at('exec'),
      'containerd-namespace': namespace,
      'containerd-plugins-namespace': `${namespace}-plugins`,
      bridge: this.#bridge,
      iptables: 'false',
      ip6tables: 'false',
      'ip-masq': 'false',
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.#child = spawn('dockerd', args, { stdio: ['ignore', log, log] });
    closeSync(log);
    return this.#child;
  }

  async #answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }

  async #lastWord(): Promise<string> {
    return lastLine(await readFile(join(this.#directory, 'log'), 'utf8'));
  }
}

function unusedNetwork(): string {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const unused = BRIDGE_NETWORKS.find((network) =>
    own.every(({ address }) => !address.startsWith(`${network}.`)),
  );
  if (unused === undefined)
    throw new Error('this machine is in every network that a dockerd of our own may have');
  return unused;
}

async function ip(...command: readonly string[]): Promise<void> {
  await runCommand('ip', command, { timeoutMs: 10_000 });
}
