import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { layeredPolicy, policyProblems } from '@swell/shared/domain/policy.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import { policyKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { z } from 'zod';
import { row } from '../../core/rows.ts';
import { EXIT, type ExitCode } from '../../core/status.ts';
import { askCoordinator } from '../answers.ts';
import { atMost, type Command, type Context, durationOf, serviceOf } from '../command.ts';
import { readJson } from '../files.ts';
import { UsageError } from '../usage.ts';

const TIMEOUT_MS = 30_000;

export const policy: Command = {
  name: 'policy',
  usage: 'get <service> | set <service> <file> [--timeout 30s] | check <service> [<file>]',
  about: 'Shows, replaces, or looks over the policy of a service; "-" as a file is standard input',
  options: { timeout: { type: 'string' } },
  async run(context) {
    const [verb, name, file] = atMost(3, context.args);
    switch (verb) {
      case 'get':
        if (file !== undefined) throw new UsageError('policy get takes no file');
        return get(context, serviceOf(name));
      case 'set':
        if (file === undefined) throw new UsageError('<file> is missing: policy set <service> <file>');
        return set(context, serviceOf(name), file);
      case 'check':
        return check(context, serviceOf(name), file);
      default:
        throw new UsageError('say what to do: policy get, policy set or policy check');
    }
  },
};

async function get({ connect, print }: Context, service: ServiceName): Promise<ExitCode> {
  const standing = await read(await connect(), service);
  const { revision = 0, value = null } = standing ?? {};
  const lines = JSON.stringify(value, undefined, 2).split('\n');
  print(
    { service, revision, policy: value },
    standing === undefined
      ? [row(`${service} has no policy: the defaults are in force`)]
      : lines.map((line) => row(line)),
  );
  return EXIT.done;
}

async function set(context: Context, service: ServiceName, file: string): Promise<ExitCode> {
  const { values, signal, connect, print } = context;
  const timeoutMs = durationOf(values, 'timeout') ?? TIMEOUT_MS;
  const wanted = await readJson(file);
  const problems = problemsOf(wanted);
  if (problems.length > 0) return refuse(context, service, problems);
  const { sequence: revision, answer } = await askCoordinator(await connect(), {
    asked: 'policy',
    subject: policyKey(service),
    body: encode(wanted),
    line: `policy of ${service}`,
    timeoutMs,
    signal,
  });
  if (answer === undefined) {
    const waiting = `the policy of ${service} is stored (revision ${revision}), and no coordinator has answered within ${formatDuration(timeoutMs)}`;
    print({ service, revision, accepted: null }, [
      row(waiting, 'busy'),
      row('  whoever leads next will read it: swell doctor tells whether one does', 'quiet'),
    ]);
    return EXIT.timedOut;
  }
  const { applied: accepted, event } = answer;
  print({ service, revision, accepted, line: event.line, problems: event.problems ?? [] }, [
    row(event.line, accepted ? 'good' : 'bad'),
  ]);
  return accepted ? EXIT.done : EXIT.failed;
}

/** Of a file nobody else is asked; without one, what stands in the bucket is looked over. */
async function check(context: Context, service: ServiceName, file: string | undefined): Promise<ExitCode> {
  const wanted =
    file === undefined ? (await read(await context.connect(), service))?.value : await readJson(file);
  const problems = wanted === undefined ? [] : problemsOf(wanted);
  if (problems.length > 0) return refuse(context, service, problems);
  const right =
    wanted === undefined ? `${service} has no policy: the defaults are in force` : 'the policy is right';
  context.print({ service, ok: true, problems }, [row(right, 'good')]);
  return EXIT.done;
}

function refuse({ print }: Context, service: ServiceName, problems: readonly string[]): ExitCode {
  print({ service, ok: false, problems }, [
    row('the policy is not right:', 'bad'),
    ...problems.map((problem) => row(`  ${problem}`)),
  ]);
  return EXIT.failed;
}

/** By itself; what a release brings along the coordinator alone can judge. */
function problemsOf(wanted: unknown): readonly string[] {
  const layer = decode(encode(wanted), policySchema);
  return layer.ok ? policyProblems(layeredPolicy(layer.value)) : layer.problems;
}

async function read(
  bus: Bus,
  service: ServiceName,
): Promise<{ readonly revision: number; readonly value: unknown } | undefined> {
  const message = await bus.readLast(STREAMS.policies, policyKey(service));
  if (message === undefined || message.deleted) return undefined;
  const value = decode(message.body, z.unknown());
  if (value.ok) return { revision: message.sequence, value: value.value };
  throw new Error(`the policy of ${service} cannot be read: ${value.problems.join('; ')}`);
}
