// npm run bench:downtime [-- options]: how long a service is away while it gets another image, by several ways in one run.

import { ensureDocker } from '../../../scripts/setup/docker.ts';
import { ensureTools } from '../../../scripts/setup/tools.ts';
import { wantedOptions } from '../../support/command-line.ts';
import { tell } from '../figures.ts';
import { measure, type Summary } from './downtime.ts';
import { type DowntimeOptions, readOptions, USAGE } from './options.ts';
import { WAYS } from './way.ts';

/** Progress goes where it does not disturb who reads the result. */
const say = (line: string): void => console.error(line);

const options = wantedOptions(readOptions, USAGE);
if (options !== undefined) process.exitCode = await bench(options);

async function bench(chosen: DowntimeOptions): Promise<number> {
  const docker = await ensureDocker(say);
  if (!docker.available) {
    say(`Nothing was measured: ${docker.reason}`);
    return 2;
  }
  await ensureTools(['docker-registry', 'busybox'], say);
  const noCompose = await ensureTools(['docker-compose'], say).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const summary = await measure(chosen, noCompose, say, stop.signal);
  tell(summary, chosen.json, () => describe(summary));
  return 0;
}

function describe(summary: Summary): string {
  const { swap } = summary;
  return WAYS.flatMap((name) => {
    const ms = summary[name];
    if (ms === undefined) return [];
    const times = swap === undefined ? '' : `   ${(ms / swap).toFixed(2)} × the swap`;
    return [`${name.padEnd(20)}${String(ms).padStart(6)} ms${times}`];
  }).join('\n');
}
