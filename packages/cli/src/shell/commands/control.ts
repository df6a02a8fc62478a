import { CONTROL_ACTIONS, type ControlAction } from '@swell/shared/domain/intent.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { controlSchema } from '@swell/shared/protocol/control.ts';
import { controlSubject } from '@swell/shared/protocol/subjects.ts';
import { row } from '../../core/rows.ts';
import { EXIT } from '../../core/status.ts';
import { askCoordinator } from '../answers.ts';
import { type Command, durationOf, rolloutOf, serviceOf, textOf } from '../command.ts';
import type { Values } from '../connection.ts';
import { SCOPE_OPTION, scopeOf } from '../scopes.ts';
import { UsageError } from '../usage.ts';

const TIMEOUT_MS = 30_000;

/** How a word is said on a command line, beyond what every word takes. */
interface Form {
  readonly usage: string;
  readonly options: Command['options'];
  /** What stands in the message, from what stands behind the service. */
  readonly fields: (words: readonly string[], values: Values) => object;
}

const OF_ROLLOUT = '[--rollout <number>]';
const CHOICE = '[--node <name> …] [--label <label>] [--region <region>] [--version <version>]';
const CHOICE_OPTIONS: Command['options'] = {
  node: { type: 'string', multiple: true },
  label: { type: 'string' },
  region: { type: 'string' },
  version: { type: 'string' },
};

const PLAIN: Form = {
  usage: `<service> [<reason>] ${OF_ROLLOUT}`,
  options: { rollout: { type: 'string' } },
  fields: (words, values) => ({ ...presentRollout(values), ...because(words) }),
};

const FORMS: Partial<Record<ControlAction, Form>> = {
  approve: {
    usage: `<service> [<reason>] [--to <percent>] ${OF_ROLLOUT} [--digest <digest>]`,
    options: { rollout: { type: 'string' }, to: { type: 'string' }, digest: { type: 'string' } },
    fields: (words, values) => {
      const to = textOf(values, 'to');
      return {
        ...(to !== undefined && { to: Number(to.replace(/%$/, '')) }),
        digest: values['digest'],
        ...presentRollout(values),
        ...because(words),
      };
    },
  },
  reject: {
    usage: '<service> [<reason>] --digest <digest>',
    options: { digest: { type: 'string' } },
    fields: (words, values) => ({ digest: values['digest'], ...because(words) }),
  },
  halt: {
    usage: `<service> [<reason>] [--no-return] ${OF_ROLLOUT}`,
    options: { rollout: { type: 'string' }, 'no-return': { type: 'boolean' } },
    fields: (words, values) => ({
      ...(values['no-return'] === true && { return: false }),
      ...presentRollout(values),
      ...because(words),
    }),
  },
  rollback: {
    usage: `<service> <version> [<reason>] ${OF_ROLLOUT}`,
    options: { rollout: { type: 'string' } },
    fields: ([version, ...words], values) => ({ version, ...presentRollout(values), ...because(words) }),
  },
  hold: { usage: `<service> <reason> ${CHOICE}`, options: CHOICE_OPTIONS, fields: chosenNodes },
  unhold: { usage: `<service> [<reason>] ${CHOICE}`, options: CHOICE_OPTIONS, fields: chosenNodes },
};

function presentRollout(values: Values): object {
  const rollout = rolloutOf(values);
  return rollout === undefined ? {} : { rollout };
}

function because(words: readonly string[]): object {
  return words.length === 0 ? {} : { reason: words.join(' ') };
}

function chosenNodes(words: readonly string[], values: Values): object {
  const { node: nodes, label, region, version } = values;
  // What is not there is not written.
  return { nodes, label, region, version, ...because(words) };
}

/** One command for each word that the coordinator knows. */
export const controls: readonly Command[] = CONTROL_ACTIONS.map((action) =>
  controlCommand(action, FORMS[action] ?? PLAIN),
);

function controlCommand(action: ControlAction, { usage, options, fields }: Form): Command {
  return {
    name: action,
    usage: `${usage} [--scope <scope>] [--timeout 30s]`,
    about: `Says "${action}", and waits for what the coordinator answers`,
    options: { ...options, timeout: { type: 'string' }, ...SCOPE_OPTION },
    async run({ args, values, signal, connect, print }) {
      const [name, ...words] = args;
      const service = serviceOf(name);
      const timeoutMs = durationOf(values, 'timeout') ?? TIMEOUT_MS;
      const body = encode({ action, ...scopeOf(values), ...fields(words, values) });
      const read = decode(body, controlSchema);
      if (!read.ok) throw new UsageError(read.problems.join('; '));
      const { sequence, answer } = await askCoordinator(await connect(), {
        asked: 'control',
        subject: controlSubject(service),
        body,
        line: `${action} of ${service}`,
        timeoutMs,
        signal,
      });
      if (answer === undefined) {
        const waiting = `${action} of ${service} is stored (${sequence}), and no coordinator has answered within ${formatDuration(timeoutMs)}`;
        print({ service, action, sequence, applied: null }, [
          row(waiting, 'busy'),
          row('  whoever leads next will read it: swell doctor tells whether one does', 'quiet'),
        ]);
        return EXIT.timedOut;
      }
      const { applied, event } = answer;
      const { line, problems = [] } = event;
      print({ service, action, sequence, applied, line, problems }, [row(line, applied ? 'good' : 'bad')]);
      return applied ? EXIT.done : EXIT.failed;
    },
  };
}
