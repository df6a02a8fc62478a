// npm run bench:weight [-- options]: what the agent's image and an idle agent weigh, beside plain Node in the same run.

import { ensureDocker } from '../../../scripts/setup/docker.ts';
import { ensureTools } from '../../../scripts/setup/tools.ts';
import { wantedOptions } from '../../support/command-line.ts';
import { tell } from '../figures.ts';
import { readOptions, USAGE, type WeightOptions } from './options.ts';
import { type Summary, shown, weigh } from './weight.ts';

/** Progress goes where it does not disturb who reads the result. */
const say = (line: string): void => console.error(line);

const options = wantedOptions(readOptions, USAGE);
if (options !== undefined) await bench(options);

async function bench(chosen: WeightOptions): Promise<void> {
  const docker = await ensureDocker(say);
  if (!docker.available) say(`Without Docker the bundle runs as a process: ${docker.reason}`);
  await ensureTools(['nats-server', ...(docker.available ? (['busybox'] as const) : [])], say);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const host = docker.available ? docker.host : undefined;
  const summary = await weigh(chosen, host, say, stop.signal);
  tell(summary, chosen.json, () => describe(summary));
}

function describe(summary: Summary): string {
  const { plainNode, fromSource, imageMb } = summary;
  return [
    `agent, bundled    ${shown(summary)}`,
    `agent, as it is   ${shown(fromSource)}`,
    `Node, idle        ${shown(plainNode)}`,
    ...(imageMb === undefined ? [] : [`image             ${imageMb} MB`]),
  ].join('\n');
}
