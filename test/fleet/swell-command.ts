/** The `swell` command as a process, as a person or a pipeline runs it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { compiled, root } from '../../scripts/setup/places.ts';

export const SWELL_ENTRY = join(root, 'packages/cli/src/main.ts');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs it to its end. Its environment names the server, and what else is said here. */
export async function runSwellCommand(
  server: string,
  args: readonly string[],
  { input = '', environment = {} }: { input?: string; environment?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [SWELL_ENTRY, ...args], {
    env: {
      PATH: process.env['PATH'],
      SWELL_NATS_SERVERS: server,
      NODE_COMPILE_CACHE: compiled,
      ...environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}
