/** A real HAProxy with the configuration that we ship, before nodes of this machine; what it thinks of them is asked at its socket. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../../../scripts/setup/places.ts';
import { freePorts } from '../ports.ts';
import { runTool, toolPath } from '../tools.ts';

/** The backends of the shipped configuration: one asks agents by their own check, the other over HTTP alone. */
export type Backend = 'web' | 'web-by-http';

/** Of the loopback. */
export interface NodePorts {
  readonly service: number;
  readonly status: number;
  readonly agentCheck: number;
}

/** As HAProxy shows a server. */
export interface Server {
  readonly name: string;
  /** `UP`, `UP 1/3`, `MAINT`, `DRAIN (agent)`, `DOWN`, `DOWN 1/2`, … */
  readonly status: string;
  readonly weight: number;
}

export const SHIPPED: string = join(root, 'deploy/haproxy/haproxy.cfg');
const READY_WITHIN_MS = 60_000;

export class Haproxy implements AsyncDisposable {
  /** Where clients come. */
  readonly port: number;
  readonly backend: Backend;
  readonly #directory: string;
  readonly #child: ReturnType<typeof spawn>;
  readonly #closed: Promise<unknown>;
  readonly #said: string[] = [];

  private constructor(port: number, backend: Backend, directory: string) {
    this.port = port;
    this.backend = backend;
    this.#directory = directory;
    this.#child = spawn(toolPath('haproxy'), ['-db', '-f', join(directory, 'haproxy.cfg')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (line: string) => this.#said.push(line));
    this.#closed = once(this.#child, 'close');
  }

  /** Checks the configuration as an operator would, starts, and waits until every server is up. */
  static async start(backend: Backend, nodes: readonly NodePorts[]): Promise<Haproxy> {
    const shipped = await readFile(SHIPPED, 'utf8');
    return Haproxy.startWith(
      backend,
      (place) => configuration(shipped, backend, { ...place, nodes }),
      (servers) => servers.length === nodes.length && servers.every(({ status }) => status === 'UP'),
    );
  }

  /** With a configuration of one's own, which has that backend. Waits until its servers are as they are meant to be. */
  static async startWith(
    backend: Backend,
    configure: (place: { readonly port: number; readonly directory: string }) => string,
    isReady: (servers: readonly Server[]) => boolean,
  ): Promise<Haproxy> {
    const directory = await mkdtemp(join(tmpdir(), 'swell-haproxy-'));
    const [port = 0] = await freePorts(1);
    const conf = join(directory, 'haproxy.cfg');
    await writeFile(conf, configure({ port, directory }));
    await runTool('haproxy', ['-c', '-q', '-f', conf]);
    const haproxy = new Haproxy(port, backend, directory);
    try {
      await haproxy.until(isReady);
      return haproxy;
    } catch (error) {
      await haproxy[Symbol.asyncDispose]();
      throw error;
    }
  }

  async servers(): Promise<readonly Server[]> {
    return (await this.#rows()).map((value) => ({
      name: value('svname'),
      status: value('status'),
      weight: Number(value('weight')),
    }));
  }

  /** What came of asking a server's agent last: `L7OK`, `L7TOUT`, `L4CON`, … */
  async agentCheckOf(server: string): Promise<string | undefined> {
    return (await this.#rows()).find((value) => value('svname') === server)?.('agent_status');
  }

  /** How many clients it takes at once, by the files that it may open. */
  async limits(): Promise<{ readonly connections: number; readonly files: number }> {
    const info = await this.ask('show info');
    const value = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(info)?.[1]);
    return { connections: value('Maxconn'), files: value('Ulimit-n') };
  }

  async ask(command: string): Promise<string> {
    const socket = connect(join(this.#directory, 'admin.sock'));
    socket.write(`${command}\n`);
    return text(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
    await rm(this.#directory, { recursive: true });
  }

  /** Of each server its value in a column of HAProxy's table. */
  async #rows(): Promise<readonly ((column: string) => string)[]> {
    const [names = '', ...lines] = (await this.ask(`show stat ${this.backend} 4 -1`)).trim().split('\n');
    const columns = names.replace(/^# /, '').split(',');
    return lines.map((line) => {
      const values = line.split(',');
      return (column) => values[columns.indexOf(column)] ?? '';
    });
  }

  async until(isReady: (servers: readonly Server[]) => boolean): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      const servers = await this.servers().catch(() => []);
      if (isReady(servers)) return;
      if (this.#child.exitCode !== null) throw new Error(`haproxy ended: ${this.#said.join('')}`);
      if (performance.now() > deadline)
        throw new Error(
          `the servers are not as they are meant to be: ${JSON.stringify(servers)}, ${this.#said.join('')}`,
        );
      await delay(20);
    }
  }
}

/** Who is in, for a balancer: he is sent new requests. `UP 1/3` still is, `DOWN 1/2` not yet. */
export function isIn({ status, weight }: Server): boolean {
  return status.startsWith('UP') && weight > 0;
}

/** The shipped text with one of its backends, and with the addresses of this machine. */
function configuration(
  shipped: string,
  backend: Backend,
  place: { readonly port: number; readonly directory: string; readonly nodes: readonly NodePorts[] },
): string {
  const sections = shipped.split(/^(?=(?:global|defaults|frontend|backend)\b)/m);
  const kept = sections.filter(
    (section) => !section.startsWith('backend ') || section.startsWith(`backend ${backend}\n`),
  );
  return place.nodes
    .reduce((conf, { service, status, agentCheck }, index) => {
      const theirs = backend === 'web' ? `agent-port ${agentCheck}` : `port ${status}`;
      return conf.replace(`192.0.2.1${index + 1}:8000`, `127.0.0.1:${service} ${theirs}`);
    }, kept.join(''))
    .replace('default_backend web\n', `default_backend ${backend}\n`)
    .replace('bind :80\n', `bind 127.0.0.1:${place.port}\n`)
    .replace('/run/haproxy/admin.sock', join(place.directory, 'admin.sock'));
}
