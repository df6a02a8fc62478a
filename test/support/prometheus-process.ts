/** A real Prometheus on the loopback that scrapes what it is told to, once a second. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toolPath } from './tools.ts';

const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;

export interface PrometheusServer extends AsyncDisposable {
  readonly url: string;
}

/** @param targets `host:port` of each program */
export async function startPrometheus(port: number, targets: readonly string[]): Promise<PrometheusServer> {
  const directory = await mkdtemp(join(tmpdir(), 'swell-prometheus-'));
  const configuration = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [{ job_name: 'swell', static_configs: [{ targets }] }],
  };
  // What is JSON is YAML as well.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(configuration));
  const child = spawn(
    toolPath('prometheus'),
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.push(text);
    if (said.length > 50) said.shift();
  });
  const closed = once(child, 'close');
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`Prometheus did not come up: ${said.join('')}`);
    }
    await delay(LOOK_EVERY_MS);
  }
  return { url, [Symbol.asyncDispose]: stop };
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
  return answer?.ok === true;
}
