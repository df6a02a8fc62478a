/** The `swell` command as a process, as a person or a pipeline runs it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { root } from '../../scripts/setup/places.ts';

const ENTRY = join(root, 'packages/cli/src/main.ts');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs it to its end. Its environment names the server and nothing else. */
export async function runSwellCommand(server: string, args: readonly string[], input = ''): Promise<Ran> {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    env: { PATH: process.env['PATH'], SWELL_NATS_SERVERS: server },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}
