import { CONTROL_ACTIONS, type ControlAction } from '@swell/shared/domain/intent.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { controlSchema } from '@swell/shared/protocol/intent.ts';
import { controlSubject } from '@swell/shared/protocol/subjects.ts';
import { row } from '../../core/rows.ts';
import { EXIT } from '../../core/status.ts';
import { askCoordinator } from '../answers.ts';
import { type Command, durationOf, rolloutOf, serviceOf } from '../command.ts';
import { UsageError } from '../usage.ts';

const TIMEOUT_MS = 30_000;

/** One command for each word that the coordinator knows. */
export const controls: readonly Command[] = CONTROL_ACTIONS.map((action) => controlCommand(action));

function controlCommand(action: ControlAction): Command {
  return {
    name: action,
    usage: '<service> [<reason>] [--rollout <number>] [--digest <digest>] [--timeout 30s]',
    about: `Says "${action}", and waits for what the coordinator answers`,
    options: { rollout: { type: 'string' }, digest: { type: 'string' }, timeout: { type: 'string' } },
    async run({ args, values, signal, connect, print }) {
      const [name, ...words] = args;
      const service = serviceOf(name);
      const timeoutMs = durationOf(values, 'timeout') ?? TIMEOUT_MS;
      const rollout = rolloutOf(values);
      const body = encode({
        action,
        ...(rollout !== undefined && { rollout }),
        ...(values['digest'] !== undefined && { digest: values['digest'] }),
        ...(words.length > 0 && { reason: words.join(' ') }),
      });
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
