import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import type { ProbeOutcome } from '../../../core/container.ts';
import { statusOf } from '../dockerd.ts';

const SAID_LENGTH_MAX = 200;
/** What a shell says of a command that it does not find. */
const NOT_FOUND = 127;

/** How a command ended: without an exit code it has not, in its time. */
export interface Ran {
  readonly exitCode?: number;
  /** The end of what it wrote, on one line. */
  readonly said: string;
}

/** Runs a command inside a container. Docker cannot end one that hangs: it is left behind. Throws what dockerd says. */
export async function runCommand(
  docker: Docker,
  id: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<Ran> {
  let said = '';
  const written = new PassThrough();
  written.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4 * SAID_LENGTH_MAX);
  });
  try {
    const exec = await docker.getContainer(id).exec({
      Cmd: [...command],
      AttachStdout: true,
      AttachStderr: true,
      abortSignal: signal,
    });
    const output = await exec.start({ abortSignal: signal });
    docker.modem.demuxStream(output, written, written);
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    output.on('end', resolve).on('close', resolve).on('error', reject);
    await ended;
    const { ExitCode: exitCode } = await exec.inspect({ abortSignal: signal });
    return { ...(exitCode !== null && { exitCode }), said: lastLine(said) };
  } catch (error) {
    if (signal.aborted) return { said: lastLine(said) };
    if (statusOf(error) === 400 && error instanceof Error)
      return { exitCode: NOT_FOUND, said: lastLine(error.message) };
    throw error;
  }
}

function lastLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(-SAID_LENGTH_MAX);
}

/** Exit code 0 is healthy. */
export async function probeCommand(
  docker: Docker,
  id: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const { exitCode, said } = await runCommand(docker, id, command, signal);
  const end = exitCode === undefined ? 'no end' : `exit code ${exitCode}`;
  return {
    healthy: exitCode === 0,
    seen: `${end} from ${command.join(' ')}${said === '' ? '' : `: ${said}`}`,
  };
}
