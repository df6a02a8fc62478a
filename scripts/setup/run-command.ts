import { spawn } from 'node:child_process';

/** How long a command may take, and where it runs. */
export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
};

/**
 * Runs a command to its end and returns what it printed on stdout.
 * Throws with its last line of stderr where it fails, cannot be found or takes too long.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    reject(error.code === 'ENOENT' ? new Error(`${command} is not installed`, { cause: error }) : error);
  });
  child.on('close', (code, signal) => {
    if (code === 0) {
      resolve(stdout);
    } else {
      const how =
        signal === 'SIGKILL'
          ? `took longer than ${options.timeoutMs / 1000} s`
          : `ended with ${code ?? signal}`;
      reject(new Error(`${command} ${how}: ${lastLine(stderr) || lastLine(stdout) || 'it printed nothing'}`));
    }
  });
  return promise;
}

/** The last line of a text that says anything. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
