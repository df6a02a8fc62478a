/** A whole run: lives on all cores, told as they come, and what they show together at the end. */

import type { Life } from '../life.ts';
import { tableOf, unreached } from './coverage-table.ts';
import type { Job } from './job.ts';
import type { RunOptions } from './options.ts';
import { Pool } from './pool.ts';
import { Progress } from './progress.ts';
import { commit, describeShrunk, describeViolations } from './report.ts';
import { shrink } from './shrink.ts';
import { type Summary, Tally } from './summary.ts';

/** So many violations are told in full: the others are most often the same. */
const SHRUNK_MAX = 3;

export interface Voice {
  readonly out: NodeJS.WriteStream;
  readonly say: (line: string) => void;
}

export async function run(options: RunOptions, { out, say }: Voice): Promise<Summary> {
  await using pool = new Pool(options.jobs);
  const tally = new Tally();
  const progress = new Progress(options.seeds.length, out);
  const broken: { readonly job: Job; readonly life: Life }[] = [];
  const at = commit();
  await Promise.all(
    options.seeds.map(async (seed) => {
      const { nodes, stormHours, calm, slow, omitted } = options;
      const job: Job = { seed, nodes, stormHours, calm, slow, omitted };
      const life = await pool.live(job);
      tally.add(life);
      if (life.violations.length > 0) {
        broken.push({ job, life });
        progress.clear();
        for (const line of describeViolations(job, life, at)) say(line);
      }
      progress.lived(tally);
    }),
  );
  progress.clear();
  const summary = tally.summary();
  for (const line of describeTally(tally)) say(line);
  for (const { job, life } of broken.slice(0, SHRUNK_MAX)) {
    for (const line of await shortest(job, life, options, pool)) say(line);
  }
  return summary;
}

async function shortest(
  job: Job,
  life: Life,
  { shrinkSeconds, jobs, nodes }: RunOptions,
  pool: Pool,
): Promise<readonly string[]> {
  const untilMs = performance.now() + shrinkSeconds * 1_000;
  const shrunk = await shrink(job, life, {
    live: (candidate) => pool.live(candidate),
    isSpent: () => performance.now() > untilMs,
    width: jobs,
  });
  return [`seed ${life.seed}:`, ...describeShrunk(shrunk, life, nodes)];
}

function describeTally(tally: Tally): readonly string[] {
  const { histories, coverages } = tally.differing;
  const { coverage } = tally;
  return [
    ...tableOf('agent', coverage),
    ...tableOf('coordinator', coverage),
    ...unreached('agent', coverage),
    ...unreached('coordinator', coverage),
    `${tally.seeds} seeds: ${histories} different histories, ${coverages} different sets of transitions`,
    ...[...tally.excused].map(([why, times]) => `excused ${times} times: ${why}`),
  ];
}
