/** A violation, told so that whoever reads it can see it again. */

import { spawnSync } from 'node:child_process';
import { clock } from '../judge/chronicle.ts';
import type { Life } from '../life.ts';
import { START_MS } from '../world.ts';
import { type Job, replay } from './job.ts';
import type { Shrunk } from './shrink.ts';

const ROOT = new URL('../../../', import.meta.url);

/** `9f6f474`, with `+dirty` where the files are not what the commit says. */
export function commit(): string {
  const git = (...args: readonly string[]) =>
    spawnSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const head = git('rev-parse', '--short', 'HEAD');
  if (head.status !== 0) return 'unknown';
  const isDirty = git('status', '--porcelain').stdout.trim() !== '';
  return `${head.stdout.trim()}${isDirty ? '+dirty' : ''}`;
}

/** What broke, and the command that shows it. */
export function describeViolations(job: Job, life: Life, at: string): readonly string[] {
  const found = life.violations.map(
    ({ rule, atMs, message }) => `  ${rule} at ${clock(atMs - START_MS)}: ${message}`,
  );
  return [
    `seed ${life.seed}, commit ${at}: ${life.violations.length} violations`,
    ...found,
    `  replay: ${replay(job)}`,
  ];
}

/** The shortest story of it that was found. */
export function describeShrunk({ job, life, reruns }: Shrunk, first: Life, nodes: number): readonly string[] {
  const left = `${life.strikes.length} of ${first.strikes.length} strikes, ${job.nodes} of ${nodes} nodes`;
  return [
    `  shortest trace found (${left}, after ${reruns} reruns):`,
    ...life.trace.map((line) => `    ${line}`),
    `  replay: ${replay(job)}`,
  ];
}
