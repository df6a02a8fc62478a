/** Runs lives in processes of their own, several at a time. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.ts';
import type { Job, Lived } from './worker.ts';
import type { WorldName } from './worlds.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
/** A bug may make a world stand still without an end. */
const LIFE_MAX_MS = 120_000;

export type Verdict =
  | { readonly is: 'caught'; readonly seed: string; readonly rule: string; readonly message: string }
  /** `why` is missing where no rule was broken. */
  | { readonly is: 'missed'; readonly why: string | undefined };

/** A seed of the unchanged code that broke a rule: nothing that a bug does there means anything. */
export interface Unfit {
  readonly world: WorldName;
  readonly seed: string;
  readonly why: string;
}

/** The unchanged code on every seed: those on which it breaks a rule. */
export async function control(world: WorldName, seeds: readonly string[]): Promise<readonly Unfit[]> {
  const unfit: Unfit[] = [];
  const end = await run({ world, seeds }, ({ seed, violations: [first] }) => {
    if (first !== undefined) unfit.push({ world, seed, why: `${first.rule} ${first.message}` });
    return 'on';
  });
  if (end.is === 'ended') return unfit;
  return [...unfit, ...seeds.slice(end.lived).map((seed) => ({ world, seed, why: end.why }))];
}

/** Seed after seed, until one breaks a rule that the bug is said to break. */
export async function hunt(mutant: Mutant, seeds: readonly string[]): Promise<Verdict> {
  const others = new Map<string, string>();
  let caught: Verdict | undefined;
  const end = await run({ mutant: mutant.name, world: mutant.world, seeds }, ({ seed, violations }) => {
    const shown = violations.find(({ rule }) => mutant.breaks.includes(rule));
    if (shown !== undefined) caught = { is: 'caught', seed, rule: shown.rule, message: shown.message };
    else for (const { rule, message } of violations) others.set(rule, `seed ${seed}: ${message}`);
    return caught === undefined ? 'on' : 'over';
  });
  if (caught !== undefined) return caught;
  const broken = [...others].map(([rule, message]) => `${rule} (${message})`);
  const instead = broken.length === 0 ? [] : [`other rules were broken: ${broken.join('; ')}`];
  const why = [...(end.is === 'stuck' ? [end.why] : []), ...instead];
  return { is: 'missed', why: why.length === 0 ? undefined : why.join('; ') };
}

type End =
  | { readonly is: 'ended'; readonly lived: number }
  | { readonly is: 'stuck'; readonly lived: number; readonly why: string };

async function run(job: Job, onLived: (lived: Lived) => 'on' | 'over'): Promise<End> {
  const child = fork(WORKER, [JSON.stringify(job)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const { promise, resolve } = Promise.withResolvers<End>();
  let lived = 0;
  let watch = watchOver(child, () => resolve({ is: 'stuck', lived, why: 'a life did not end' }));
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2_000);
  });
  child.on('message', (message) => {
    lived += 1;
    clearTimeout(watch);
    if (onLived(message as Lived) === 'over') {
      resolve({ is: 'ended', lived });
      child.kill();
    } else {
      watch = watchOver(child, () => resolve({ is: 'stuck', lived, why: 'a life did not end' }));
    }
  });
  child.on('exit', (code) => {
    if (code === 0) resolve({ is: 'ended', lived });
    else resolve({ is: 'stuck', lived, why: `the process ended with ${code}: ${errorIn(lastWords)}` });
  });
  try {
    return await promise;
  } finally {
    clearTimeout(watch);
  }
}

/** The line that names the error, of what Node says at its end. */
function errorIn(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'without a word';
}

function watchOver(child: ChildProcess, onStuck: () => void): NodeJS.Timeout {
  return setTimeout(() => {
    onStuck();
    child.kill('SIGKILL');
  }, LIFE_MAX_MS);
}

/** Does so many at a time, in order. */
export async function inParallel<Item>(
  jobs: number,
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const one = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: jobs }, one));
}
