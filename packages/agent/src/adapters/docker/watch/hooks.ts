/**
 * What an application says of its own updates, by labels on its container: a hook before and one after, which run in the
 * container, and a lock that it holds by a file.
 */

import { parseDurationMs } from '@swell/shared/kernel/units.ts';
import type Docker from 'dockerode';
import type { Leave, Observation } from '../../../core/container.ts';
import type { Dockerd } from '../dockerd.ts';
import type { InspectedContainer } from '../inspected.ts';
import { runCommand } from './exec.ts';

const BEFORE = 'swell.pre-update';
const AFTER = 'swell.post-update';
const HOOK_TIMEOUT = 'swell.hook-timeout';
const LOCK = 'swell.update-lock';
const LOCK_STALE = 'swell.update-lock-stale';

const HOOK_TIMEOUT_MS = 60_000;
const HOOK_TIMEOUT_MAX_MS = 3_600_000;
/** Whoever holds a lock for longer has forgotten it. */
const LOCK_STALE_MS = 86_400_000;
/** `EX_TEMPFAIL` of sysexits.h: try again later. */
const DEFERRED = 75;

/** Has the application something to say before its container stops, and once the new one is well? */
export function asksOf(labels: Readonly<Record<string, string>>): Observation['asks'] {
  const before = BEFORE in labels || LOCK in labels;
  const after = AFTER in labels;
  if (!before && !after) return undefined;
  return { ...(before && { before }), ...(after && { after }) };
}

/** The hook before an update: 0 lets it go on, 75 asks for later, anything else is a veto. */
export async function runHookBefore(docker: Docker, container: InspectedContainer): Promise<Leave> {
  const ran = await runHook(docker, container, BEFORE);
  if (ran === undefined || ran.exitCode === 0) return { is: 'given' };
  if (ran.exitCode === undefined) return { is: 'deferred', why: `${BEFORE} has not ended: ${ran.said}` };
  const why = `${BEFORE} ended with ${ran.exitCode}${ran.said === '' ? '' : `: ${ran.said}`}`;
  return ran.exitCode === DEFERRED ? { is: 'deferred', why } : { is: 'vetoed', why };
}

/** The hook after an update: why the new container is not well, or undefined. */
export async function runHookAfter(
  docker: Docker,
  container: InspectedContainer,
): Promise<string | undefined> {
  const ran = await runHook(docker, container, AFTER);
  if (ran === undefined || ran.exitCode === 0) return undefined;
  const end = ran.exitCode === undefined ? 'has not ended' : `ended with ${ran.exitCode}`;
  return `${AFTER} ${end}${ran.said === '' ? '' : `: ${ran.said}`}`;
}

async function runHook(docker: Docker, container: InspectedContainer, label: string) {
  const { [label]: text, [HOOK_TIMEOUT]: timeout } = container.Config.Labels ?? {};
  // One that does not run has nobody to ask.
  if (text === undefined || !container.State.Running) return undefined;
  const timeoutMs = Math.min(durationIn(timeout, HOOK_TIMEOUT_MS), HOOK_TIMEOUT_MAX_MS);
  return runCommand(docker, container.Id, wordsOf(text), AbortSignal.timeout(timeoutMs));
}

/** As Docker's HEALTHCHECK has it: a JSON list of words, or a line for the shell. */
function wordsOf(text: string): readonly string[] {
  const line = ['sh', '-c', text];
  if (!text.startsWith('[')) return line;
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.length > 0 ? words.map(String) : line;
  } catch {
    return line;
  }
}

/** Why the application holds its lock; undefined: it does not, or for so long that it has forgotten it. */
export async function lockHeld(
  dockerd: Dockerd,
  container: InspectedContainer,
  nowMs: number,
): Promise<string | undefined> {
  const { [LOCK]: path, [LOCK_STALE]: stale } = container.Config.Labels ?? {};
  if (path === undefined) return undefined;
  const file = await dockerd.pathStat(container.Id, path);
  if (file === undefined) return undefined;
  const isStale = nowMs - Date.parse(file.mtime) > durationIn(stale, LOCK_STALE_MS);
  return isStale ? undefined : `its application holds the update lock ${path}`;
}

function durationIn(text: string | undefined, defaultMs: number): number {
  return (text === undefined ? undefined : parseDurationMs(text)) ?? defaultMs;
}
