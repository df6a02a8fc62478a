import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsServer, NatsServerOptions } from './nats.ts';
import { freePorts, natsConf, untilReady } from './nats-conf.ts';
import { toolPath } from './tools.ts';

/** Starts nats-server as a process on the loopback, with a store of its own. */
export async function startNatsProcess(options: NatsServerOptions = {}): Promise<NatsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'swell-nats-'));
  const [port = 0, httpPort = 0] = await freePorts(2);
  const conf = join(directory, 'server.conf');
  const place = { host: '127.0.0.1', port, httpPort, store: join(directory, 'store') };
  await writeFile(conf, natsConf(place, options));
  let child = await start(conf, port);

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
      child = await start(conf, port);
    },
    async pause() {
      child.kill('SIGSTOP');
    },
    async resume() {
      child.kill('SIGCONT');
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function start(conf: string, port: number): Promise<ChildProcess> {
  const child = spawn(toolPath('nats-server'), ['-c', conf], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.push(text);
    if (said.length > 50) said.shift();
  });
  await untilReady(port, () => (child.exitCode === null ? undefined : said.join('')));
  return child;
}
