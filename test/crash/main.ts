// npm run crash [-- options]: the real agent on real Docker, killed before, during and after every effect of an update.
// Exit code 0: it always recovered. 1: it did not, somewhere. 2: nothing was tried, and why.

import { ensureDocker } from '../../scripts/setup/docker.ts';
import { ensureTools } from '../../scripts/setup/tools.ts';
import { wantedOptions } from '../support/command-line.ts';
import { Crash, type Summary } from './crash.ts';
import { type CrashOptions, readOptions, USAGE } from './options.ts';

/** Progress goes where it does not disturb who reads the result. */
const say = (line: string): void => console.error(line);

const options = wantedOptions(readOptions, USAGE);
if (options !== undefined) process.exitCode = await tried(options);

async function tried(chosen: CrashOptions): Promise<number> {
  const docker = await ensureDocker(say);
  if (!docker.available) {
    say(`Nothing was tried: ${docker.reason}`);
    return 2;
  }
  await ensureTools(['nats-server', 'docker-registry', 'busybox'], say);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  try {
    const summary = await Crash.run(chosen, docker.host, say, stop.signal);
    if (stop.signal.aborted) throw stop.signal.reason;
    if (chosen.lists) return 0;
    if (summary.skipped !== undefined) say(`Skipped: ${summary.skipped}`);
    console.log(chosen.json ? JSON.stringify(summary) : describe(summary));
    return summary.failed.length > 0 || summary.runs === 0 ? 1 : 0;
  } catch (error) {
    if (error !== stop.signal.reason) throw error;
    say('Stopped; all that was started is gone.');
    return 1;
  }
}

function describe({ points, runs, ok, failed }: Summary): string {
  return `${points} points, ${runs} runs, ${ok} ok, ${failed.length} failed`;
}
