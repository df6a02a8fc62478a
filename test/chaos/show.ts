/** A storm for whoever started it: lines of progress on stderr, the result on stdout, the logs kept where they are needed. */

import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChaos } from './chaos.ts';
import type { Network } from './network.ts';
import type { ChaosOptions } from './options.ts';

/** Returns the exit code. */
export async function showChaos(
  options: ChaosOptions,
  network: Network,
  signal: AbortSignal,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'swell-chaos-'));
  const startedMs = performance.now();
  const say = (line: string): void => {
    const second = ((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6);
    appendFileSync(join(directory, 'storm.log'), `${new Date().toISOString()} ${line}\n`);
    console.error(`${second} s  ${line}`);
  };
  let isKept = process.env['SWELL_KEEP_LOGS'] !== undefined;
  // A mistake of the storm's own: what it has started is taken away all the same.
  const mistake = new AbortController();
  const onMistake = (error: unknown): void => mistake.abort(error);
  process.on('uncaughtException', onMistake);
  process.on('unhandledRejection', onMistake);
  try {
    say(`seed ${options.seed}, ${options.minutes} minutes`);
    if (network.uncut !== undefined) say(`skipped: partitions, since ${network.uncut}`);
    const ending = AbortSignal.any([signal, mistake.signal]);
    const { result, evidence } = await runChaos(options, { network, directory, signal: ending, say });
    isKept ||= !result.ok;
    for (const line of evidence) console.error(line);
    if (!result.ok) {
      const { seed, minutes, nodes } = options;
      console.error(`again: npm run chaos -- --seed ${seed} --minutes ${minutes} --nodes ${nodes}`);
    }
    console.log(options.json ? JSON.stringify(result) : result);
    return result.ok ? 0 : 1;
  } catch (error) {
    isKept ||= !signal.aborted;
    throw mistake.signal.aborted ? mistake.signal.reason : error;
  } finally {
    process.off('uncaughtException', onMistake);
    process.off('unhandledRejection', onMistake);
    if (isKept) console.error(`the logs are in ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}
