/** Who this process is, as the kernel and the container that it runs in show it. */

import { readFile, readlink } from 'node:fs/promises';
import type { ProcessMark } from '../core/node-lease.ts';

const MOUNTED = /\/containers\/([0-9a-f]{64})\/hostname \/etc\/hostname /;
const IN_CGROUP = /[/-]([0-9a-f]{64})(?:\.scope)?$/m;

/**
 * The id of the container that this process runs in; undefined: in none, or none can be seen. Docker lays a container's host
 * name over `/etc/hostname`; older cgroups have its id in their path.
 */
export async function ownContainerId(): Promise<string | undefined> {
  const [mounts, cgroups] = await Promise.all([read('/proc/self/mountinfo'), read('/proc/self/cgroup')]);
  return containerIdIn(mounts, cgroups);
}

export function containerIdIn(mounts: string, cgroups = ''): string | undefined {
  return MOUNTED.exec(mounts)?.[1] ?? IN_CGROUP.exec(cgroups)?.[1];
}

/** Undefined where there is no Linux to ask. */
export async function ownProcessMark(): Promise<ProcessMark | undefined> {
  const boot = (await read('/proc/sys/kernel/random/boot_id')).trim();
  const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '');
  const startedAt = startIn(await read('/proc/self/stat'));
  if (boot === '' || pidNamespace === '' || startedAt === undefined) return undefined;
  return { boot, pidNamespace, pid: process.pid, startedAt };
}

/** Of a process of this very boot and namespace: does it still run? */
export async function isAlive({ pid, startedAt }: ProcessMark): Promise<boolean> {
  return startIn(await read(`/proc/${pid}/stat`)) === startedAt;
}

/** The process's name, the second field, may have anything in it, but the last bracket ends it; field 22 is the start. */
export function startIn(stat: string): string | undefined {
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // One that has ended and that nobody has asked for is no process.
  return state === 'Z' || state === 'X' ? undefined : rest[18];
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
