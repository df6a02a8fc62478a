// npm run chaos [-- options]: real programs, a real cluster of three, and what can go wrong. Exit code 0: no rule was broken.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { ensureTools } from '../../scripts/setup/tools.ts';
import { wantedOptions } from '../support/command-line.ts';
import {
  entryTo,
  loopbackNetwork,
  makeNamespaces,
  namespaceNetwork,
  networkName,
  removeNamespaces,
} from './network.ts';
import { type ChaosOptions, readOptions, USAGE } from './options.ts';
import { showChaos } from './show.ts';
import { PEOPLE, PLACES } from './world.ts';

/** Names the network for the program that runs in it. */
const NETWORK = 'SWELL_CHAOS_NETWORK';
/** For the program in the network to take away all that it has started. */
const FAREWELL_MS = 60_000;

const stop = new AbortController();
let stopped: NodeJS.Signals | undefined;
// A terminal that was closed takes no more words; what was started is taken away all the same.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    stopped ??= name;
    stop.abort();
  });
}

const options = wantedOptions(readOptions, USAGE);
if (options !== undefined) process.exit(await run(options));

async function run(chosen: ChaosOptions): Promise<number> {
  const network = process.env[NETWORK];
  try {
    if (network !== undefined) return await showChaos(chosen, namespaceNetwork(network, PLACES), stop.signal);
    await ensureTools(['nats-server', 'nats', 'docker-registry'], (line) => console.error(line));
    return await runOutside(chosen);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    if (network === undefined) console.error('stopped; all that was started is gone');
    return 128 + constants.signals[stopped ?? 'SIGINT'];
  }
}

/**
 * Where namespaces can be made: this program once more, in the one from which all others can be reached. What it leaves
 * behind goes with the network.
 */
async function runOutside(chosen: ChaosOptions): Promise<number> {
  const name = networkName(process.pid);
  try {
    const uncut = await makeNamespaces(name, PLACES);
    stop.signal.throwIfAborted();
    if (uncut !== undefined) return await showChaos(chosen, loopbackNetwork(uncut), stop.signal);
    const [file = '', ...entry] = entryTo(name, PEOPLE);
    const program = [process.execPath, import.meta.filename, ...process.argv.slice(2), '--seed', chosen.seed];
    const child = spawn(file, [...entry, ...program], {
      stdio: 'inherit',
      env: { ...process.env, [NETWORK]: name },
    });
    const ended = once(child, 'exit');
    stop.signal.addEventListener('abort', () => {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), FAREWELL_MS).unref();
    });
    await ended;
    stop.signal.throwIfAborted();
    return child.exitCode ?? 1;
  } finally {
    await removeNamespaces(name);
  }
}
