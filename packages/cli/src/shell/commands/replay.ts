import { row } from '../../core/rows.ts';
import { EXIT } from '../../core/status.ts';
import { atMost, type Command, durationOf, rolloutOf, serviceOf, textOf } from '../command.ts';
import { readJson } from '../files.ts';
import { askLeader } from '../leader.ts';
import { SCOPE_OPTION, scopeOf } from '../scopes.ts';
import { UsageError } from '../usage.ts';

const TIMEOUT_MS = 60_000;

export const replay: Command = {
  name: 'replay',
  usage: '<service> --rollout <number> --policy <file> [--scope <scope>] [--timeout 1m]',
  about: 'Asks whether a policy would have stopped a release; "-" as a file is standard input',
  options: {
    rollout: { type: 'string' },
    policy: { type: 'string' },
    timeout: { type: 'string' },
    ...SCOPE_OPTION,
  },
  async run({ args, values, connect, print }) {
    const service = serviceOf(atMost(1, args)[0]);
    const rollout = rolloutOf(values);
    const file = textOf(values, 'policy');
    if (rollout === undefined)
      throw new UsageError(`--rollout is missing: swell history ${service} shows them`);
    if (file === undefined) throw new UsageError('--policy is missing: the file of the policy to try');
    const timeoutMs = durationOf(values, 'timeout') ?? TIMEOUT_MS;
    const body = { rollout, policy: await readJson(file) };
    const answer = await askLeader(await connect(), 'replay', service, {
      ...scopeOf(values),
      body,
      timeoutMs,
    });
    const { line, assumed = [] } = answer;
    print(answer, [row(line), ...assumed.map((one) => row(`  assumed: ${one}`, 'quiet'))]);
    return EXIT.done;
  },
};
