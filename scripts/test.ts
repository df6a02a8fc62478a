// npm test [-- vitest filters and options]: gets what the tests need, runs them, and closes with one plain line.
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { imageAtHand } from '../test/support/nats-container.ts';
import { whyNoOwnDockerd } from '../test/support/own-dockerd.ts';
import { ensureDocker } from './setup/docker.ts';
import { cache, root } from './setup/places.ts';
import { ensureTools } from './setup/tools.ts';
import { type Report, type Run, summarize } from './test-summary.ts';

const say = (line: string): void => console.log(line);
const reportFile = join(cache, 'test-report.json');
const args = process.argv.slice(2);

try {
  const missing = await setUp();
  const exitCode = await runTests();
  const filtered = args.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern'));
  const summary = summarize(await readReport(), { exitCode, ...missing, filtered });
  process.exitCode = summary.exitCode;
  summary.lines.forEach(say);
} catch (error) {
  console.error((error as Error).message);
  say('0 passed, 1 failed');
  process.exitCode = 1;
}

/** Returns the reasons why something that tests need is not here, if so; the tests learn them through the environment. */
async function setUp(): Promise<Pick<Run, 'noDocker' | 'noHaproxy' | 'noPrometheus' | 'noOwnDockerd'>> {
  const docker = await ensureDocker(say);
  await ensureTools(
    [
      'nats-server',
      'nats',
      'docker-registry',
      ...(docker.available ? (['busybox', 'docker', 'docker-compose'] as const) : []),
    ],
    say,
  );
  const noDocker = docker.available ? undefined : docker.reason;
  if (noDocker !== undefined) {
    say(`Tests that need Docker are skipped: ${noDocker}`);
    process.env['SWELL_TEST_NO_DOCKER'] = noDocker;
  }
  if (noDocker === undefined) process.env['SWELL_NATS_IMAGE'] = await imageAtHand();
  const noHaproxy = noDocker ?? (await whyNoHaproxy());
  if (noHaproxy !== undefined) {
    say(`Tests that need HAProxy are skipped: ${noHaproxy}`);
    process.env['SWELL_TEST_NO_HAPROXY'] = noHaproxy;
  }
  const noPrometheus = noDocker ?? (await whyNoPrometheus());
  if (noPrometheus !== undefined) {
    say(`Tests that need Prometheus are skipped: ${noPrometheus}`);
    process.env['SWELL_TEST_NO_PROMETHEUS'] = noPrometheus;
  }
  const noOwnDockerd = noDocker ?? (await whyNoOwnDockerd());
  if (noOwnDockerd !== undefined) {
    say(`Tests that need a dockerd of their own are skipped: ${noOwnDockerd}`);
    process.env['SWELL_TEST_NO_OWN_DOCKERD'] = noOwnDockerd;
  }
  return { noDocker, noHaproxy, noPrometheus, noOwnDockerd };
}

/** Not everywhere is it a download away. */
async function whyNoHaproxy(): Promise<string | undefined> {
  if (process.platform !== 'linux') return "the servers before it are containers of this machine's own Node";
  return ensureTools(['haproxy'], say).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

/** The same. */
async function whyNoPrometheus(): Promise<string | undefined> {
  return ensureTools(['prometheus'], say).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

async function runTests(): Promise<number> {
  await mkdir(cache, { recursive: true });
  await rm(reportFile, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const child = spawn(process.execPath, [vitest, 'run', '--allowOnly=false', ...reporters, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // vitest ends its workers; this process stays for the closing line.
    process.on(signal, () => child.kill(signal));
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on('error', reject);
  child.on('close', (code, signal) =>
    resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
  );
  return promise;
}

/** A run that crashed before its end leaves no report; it counts as empty, and so as failed. */
async function readReport(): Promise<Report> {
  const text = await readFile(reportFile, 'utf8').catch(() => '{"testResults":[]}');
  return JSON.parse(text) as Report;
}
