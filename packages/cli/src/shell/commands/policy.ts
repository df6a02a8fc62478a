import { type Bus, BusError } from '@swell/shared/adapters/bus.ts';
import { cycleProblems, type DependenciesOf, type Dependency } from '@swell/shared/domain/dependency.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { layeredPolicy, policyProblems } from '@swell/shared/domain/policy.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import { ALL_POLICIES, lastToken, policyKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
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
  const problems = problemsOf(service, wanted);
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

/** Without a file, what stands in the bucket is looked over. A file is looked over also where there is no bus, as far as that goes. */
async function check(context: Context, service: ServiceName, file: string | undefined): Promise<ExitCode> {
  const { print, connect } = context;
  const wanted = file === undefined ? (await read(await connect(), service))?.value : await readJson(file);
  if (wanted === undefined) {
    print({ service, ok: true, problems: [] }, [
      row(`${service} has no policy: the defaults are in force`, 'good'),
    ]);
    return EXIT.done;
  }
  const alone = problemsOf(service, wanted);
  if (alone.length > 0) return refuse(context, service, alone);
  const dependencies = await dependenciesOn(connect).catch((error: unknown): BusError => {
    if (error instanceof BusError) return error;
    throw error;
  });
  if (dependencies instanceof BusError) {
    const unseen = `the other services were not looked at, which may depend on it in a circle: ${dependencies.message}`;
    print({ service, ok: true, problems: [], unseen }, [
      row('the policy is right by itself', 'good'),
      row(`  ${unseen}`),
    ]);
    return EXIT.done;
  }
  const problems = problemsOf(service, wanted, (other) => dependencies.get(other));
  if (problems.length > 0) return refuse(context, service, problems);
  print({ service, ok: true, problems }, [row('the policy is right', 'good')]);
  return EXIT.done;
}

/** By the policies that stand in the bucket. */
async function dependenciesOn(
  connect: Context['connect'],
): Promise<ReadonlyMap<ServiceName, readonly Dependency[]>> {
  const messages = await (await connect()).readLastOfEach(STREAMS.policies, [ALL_POLICIES]);
  return new Map(
    messages.flatMap(({ subject, body, deleted }) => {
      const layer = deleted ? undefined : decode(body, policySchema);
      return layer?.ok === true ? [[lastToken(subject), layer.value.dependsOn ?? []] as const] : [];
    }),
  );
}

function refuse({ print }: Context, service: ServiceName, problems: readonly string[]): ExitCode {
  print({ service, ok: false, problems }, [
    row('the policy is not right:', 'bad'),
    ...problems.map((problem) => row(`  ${problem}`)),
  ]);
  return EXIT.failed;
}

/** What a release brings along the coordinator alone can judge. @param of what is known of the other services */
function problemsOf(
  service: ServiceName,
  wanted: unknown,
  of: DependenciesOf = () => undefined,
): readonly string[] {
  const layer = decode(encode(wanted), policySchema);
  if (!layer.ok) return layer.problems;
  const { dependsOn = [] } = layer.value;
  return [...policyProblems(layeredPolicy(layer.value)), ...cycleProblems(service, dependsOn, of)];
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
