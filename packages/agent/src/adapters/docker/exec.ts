import type Docker from 'dockerode';
import type { ProbeOutcome } from '../../core/container.ts';

/** Runs a command inside a container; exit code 0 is healthy. Docker cannot end one that hangs: it is left behind. */
export async function probeCommand(
  docker: Docker,
  id: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const exec = await docker.getContainer(id).exec({
    Cmd: [...command],
    AttachStdout: true,
    AttachStderr: true,
    abortSignal: signal,
  });
  const output = await exec.start({ abortSignal: signal });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  output.on('end', resolve).on('close', resolve).on('error', reject).resume();
  await ended;
  const { ExitCode: exitCode } = await exec.inspect({ abortSignal: signal });
  return { healthy: exitCode === 0, seen: `exit code ${exitCode ?? '?'} from ${command.join(' ')}` };
}
