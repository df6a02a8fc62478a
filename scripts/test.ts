// npm test [-- vitest filters and options]: gets what the tests need, runs them, and closes with one plain line.
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureDocker } from './setup/docker.ts';
import { cache, root } from './setup/places.ts';
import { ensureTools } from './setup/tools.ts';
import { type Report, summarize } from './test-summary.ts';

const say = (line: string): void => console.log(line);
const reportFile = join(cache, 'test-report.json');
const args = process.argv.slice(2);

try {
  const noDocker = await setUp();
  const exitCode = await runTests();
  const filtered = args.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern'));
  const summary = summarize(await readReport(), { exitCode, noDocker, filtered });
  process.exitCode = summary.exitCode;
  summary.lines.forEach(say);
} catch (error) {
  console.error((error as Error).message);
  say('0 passed, 1 failed');
  process.exitCode = 1;
}

/** Returns the reason why there is no Docker, if there is none; the tests learn it through the environment. */
async function setUp(): Promise<string | undefined> {
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
  const reason = docker.available ? undefined : docker.reason;
  if (reason !== undefined) {
    say(`Tests that need Docker are skipped: ${reason}`);
    process.env['SWELL_TEST_NO_DOCKER'] = reason;
  }
  return reason;
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
