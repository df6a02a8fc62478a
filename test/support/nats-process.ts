import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsServer, NatsServerOptions } from './nats.ts';
import { natsConf, untilReady } from './nats-conf.ts';
import { freePorts } from './ports.ts';
import { toolPath } from './tools.ts';

export interface NatsProcessOptions extends NatsServerOptions {
  /** With `nats/server.conf` itself, on these ports; nothing else is heeded then. */
  readonly shipped?: boolean;
}

const SHIPPED_CONF = join(import.meta.dirname, '../../nats/server.conf');

/** Starts nats-server as a process on the loopback, with a store of its own. */
export async function startNatsProcess(options: NatsProcessOptions = {}): Promise<NatsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'swell-nats-'));
  const [port = 0, httpPort = 0] = await freePorts(2);
  const conf = join(directory, 'server.conf');
  const place = { host: '127.0.0.1', port, httpPort, store: join(directory, 'store') };
  await writeFile(conf, natsConf(place, options));
  const shipped = ['-c', SHIPPED_CONF, '-a', place.host, '-p', `${port}`, '-m', `${httpPort}`];
  const args = options.shipped === true ? shipped : ['-c', conf];
  const begin = (): Promise<ChildProcess> => start(args, port, place.store);
  let child = await begin();

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    // A frozen process hears nothing but SIGKILL until it goes on.
    child.kill('SIGCONT');
    await exited;
  };
  const stop = async (): Promise<void> => {
    await end('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    monitoringUrl: `http://127.0.0.1:${httpPort}`,
    runsAs: 'process',
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      child = await begin();
    },
    async pause() {
      child.kill('SIGSTOP');
      await untilStopped(child);
    },
    async resume() {
      child.kill('SIGCONT');
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The signal stops it once one of its threads has been given the time to hear it; until then the others may go on answering. */
async function untilStopped({ pid }: ChildProcess): Promise<void> {
  const threads = `/proc/${pid}/task`;
  const isStopped = async (thread: string): Promise<boolean> => {
    const stat = await readFile(join(threads, thread, 'stat'), 'utf8');
    // The name before it may hold anything, brackets too.
    return stat.slice(stat.lastIndexOf(')')).startsWith(') T');
  };
  // Elsewhere nobody can tell.
  if (process.platform !== 'linux') return;
  while (!(await Promise.all((await readdir(threads)).map(isStopped))).every(Boolean)) await delay(1);
}

async function start(args: readonly string[], port: number, store: string): Promise<ChildProcess> {
  const child = spawn(toolPath('nats-server'), [...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { SWELL_STORE: store },
  });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.push(text);
    if (said.length > 50) said.shift();
  });
  await untilReady(port, () => (child.exitCode === null ? undefined : said.join('')));
  return child;
}
