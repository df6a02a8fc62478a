import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { hasApt, installPackages, isRoot } from './debian.ts';
import { cache } from './places.ts';
import { lastLine, runCommand } from './run-command.ts';

/** Whether containers can be run here, and through which daemon. */
export type DockerState =
  | { readonly available: true; readonly host: string }
  | { readonly available: false; readonly reason: string };

const pingTimeoutMs = 4_000;
const daemonStartTimeoutMs = 60_000;

/**
 * Finds a Docker daemon that answers, or, as root on Linux, starts one (installing it first where `apt-get` is).
 * Leaves `DOCKER_HOST` set to what it found, so that everything started later talks to the same daemon.
 */
export async function ensureDocker(say: (line: string) => void): Promise<DockerState> {
  const found = await findDocker();
  if (found !== undefined) {
    return { available: true, host: found };
  }
  if (process.env['DOCKER_HOST']) {
    // Somebody chose a daemon. Starting another one behind their back would not be what they meant.
    return {
      available: false,
      reason: `no Docker daemon answers at DOCKER_HOST=${process.env['DOCKER_HOST']}`,
    };
  }
  if (process.platform !== 'linux' || !isRoot()) {
    return { available: false, reason: 'no Docker daemon answers; start Docker, or set DOCKER_HOST' };
  }
  try {
    if (!(await isCommand('dockerd'))) {
      if (!hasApt()) {
        return { available: false, reason: 'no Docker daemon answers and dockerd is not installed' };
      }
      say('No Docker daemon here: installing docker.io from the distribution and starting it.');
      await installPackages(['docker.io', 'iptables', 'ca-certificates']);
    } else {
      say('No Docker daemon answers here: starting dockerd.');
    }
    const host = await startDaemon();
    say(`docker: dockerd started, log in ${join(cache, 'dockerd.log')}`);
    return { available: true, host };
  } catch (error) {
    return { available: false, reason: `no Docker daemon could be started: ${(error as Error).message}` };
  }
}

/** The host of a daemon that answers, as `DOCKER_HOST` would name it; sets `DOCKER_HOST` where it is not the default. */
export async function findDocker(): Promise<string | undefined> {
  for (const host of await candidates()) {
    if (await answers(host)) {
      process.env['DOCKER_HOST'] = host;
      return host;
    }
  }
  return undefined;
}

async function candidates(): Promise<readonly string[]> {
  const chosen = process.env['DOCKER_HOST'];
  if (chosen) {
    return [chosen];
  }
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const sockets = [
    '/var/run/docker.sock',
    ...(runtime === undefined ? [] : [join(runtime, 'docker.sock')]),
    join(homedir(), '.docker', 'run', 'docker.sock'),
  ];
  const context = await currentContext();
  const hosts = sockets.filter((socket) => existsSync(socket)).map((socket) => `unix://${socket}`);
  return [...(context === undefined ? [] : [context]), ...hosts];
}

/** Where the docker client's own context points to; Docker Desktop, Colima and rootless Docker are found that way. */
async function currentContext(): Promise<string | undefined> {
  const format = '{{.Endpoints.docker.Host}}';
  const context = runCommand('docker', ['context', 'inspect', '--format', format], {
    timeoutMs: pingTimeoutMs,
  });
  const host = (await context.catch(() => '')).trim();
  return host === '' ? undefined : host;
}

async function answers(host: string): Promise<boolean> {
  const chosen = process.env['DOCKER_HOST'];
  process.env['DOCKER_HOST'] = host;
  try {
    await new Docker({ timeout: pingTimeoutMs }).ping();
    return true;
  } catch {
    return false;
  } finally {
    restoreHost(chosen);
  }
}

function restoreHost(host: string | undefined): void {
  if (host === undefined) {
    delete process.env['DOCKER_HOST'];
  } else {
    process.env['DOCKER_HOST'] = host;
  }
}

/** Starts dockerd detached, unless the installation's own service does, and waits until it answers. */
async function startDaemon(): Promise<string> {
  const deadline = Date.now() + daemonStartTimeoutMs;
  const service = existsSync('/run/systemd/system');
  let ended: string | undefined;
  if (service) {
    await runCommand('systemctl', ['start', 'docker'], { timeoutMs: daemonStartTimeoutMs });
  } else {
    mkdirSync(cache, { recursive: true });
    const path = join(cache, 'dockerd.log');
    const log = openSync(path, 'w');
    const daemon = spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    daemon.unref();
    daemon.on('error', (error) => {
      ended = error.message;
    });
    daemon.on('exit', () => {
      ended = lastLine(readFileSync(path, 'utf8'));
    });
  }
  while (Date.now() < deadline) {
    const host = await findDocker();
    if (host !== undefined) {
      return host;
    }
    if (ended !== undefined) {
      throw new Error(`dockerd ended: ${ended}`);
    }
    await sleep(500);
  }
  throw new Error(`dockerd did not answer within ${daemonStartTimeoutMs / 1000} s`);
}

async function isCommand(command: string): Promise<boolean> {
  const version = runCommand(command, ['--version'], { timeoutMs: 10_000 });
  return version.then(
    () => true,
    () => false,
  );
}
