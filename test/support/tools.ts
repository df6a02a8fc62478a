import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheBin } from '../../scripts/setup/places.ts';
import { runCommand } from '../../scripts/setup/run-command.ts';
import type { Tool } from '../../scripts/setup/tools.ts';

/**
 * Where a tool's binary is: in the folder that `SWELL_TOOLS` names, in the set-up's cache, or on PATH.
 * Gets nothing by itself: `npm test` and `npm run demo` do, before they start.
 */
export function toolPath(tool: Tool): string {
  const given = process.env['SWELL_TOOLS'];
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = [...(given === undefined ? [] : [given]), cacheBin, ...path].map((folder) =>
    join(folder, tool),
  );
  const found = candidates.find(isExecutable);
  if (found === undefined) {
    throw new Error(
      `${tool} is not here yet; npm run setup gets it (npm test and npm run demo do so by themselves)`,
    );
  }
  return found;
}

/** How long the `nats` command waits for an answer, on a machine that is busy. */
export const NATS_PATIENCE: readonly string[] = ['--timeout', '60s'];

/** And where it finds a server. */
export function natsOptions({ url }: { readonly url: string }): readonly string[] {
  return ['--server', url, ...NATS_PATIENCE];
}

/** Runs a tool to its end and returns what it printed; throws with its last words where it fails. */
export function runTool(tool: Tool, args: readonly string[], timeoutMs = 120_000): Promise<string> {
  return runCommand(toolPath(tool), args, { timeoutMs });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
