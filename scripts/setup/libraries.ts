import { runCommand } from './run-command.ts';

/** The files that a binary is linked with, its loader among them; none for a static one. */
export async function librariesOf(binary: string): Promise<readonly string[]> {
  // A static binary makes ldd complain.
  const printed = await runCommand('ldd', [binary], { timeoutMs: 10_000 }).catch(() => '');
  return [...printed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) =>
    path === undefined ? [] : [path],
  );
}
