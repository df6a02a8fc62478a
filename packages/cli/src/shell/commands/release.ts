import { formatDuration } from '@swell/shared/kernel/units.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { releaseSubject } from '@swell/shared/protocol/subjects.ts';
import { row } from '../../core/rows.ts';
import { EXIT } from '../../core/status.ts';
import { askCoordinator } from '../answers.ts';
import { atMost, type Command, durationOf, serviceOf, textOf } from '../command.ts';
import { readJson } from '../files.ts';
import { UsageError } from '../usage.ts';

const TIMEOUT_MS = 60_000;

export const release: Command = {
  name: 'release',
  usage:
    '<service> <image> | <service> <part>=<image> … [--version <text>] [--policy <file>] [--from <version> …] [--allow-downgrade] ' +
    '[--accept-halted] [--irreversible] [--urgent] [--not-before <time>] [--expires <time>] ' +
    '[--train <name>] [--train-of <service> …] [--timeout 1m]',
  about:
    'Releases an image, and waits until a coordinator has accepted or refused it, or says what it waits for',
  options: {
    version: { type: 'string' },
    policy: { type: 'string' },
    from: { type: 'string', multiple: true },
    'allow-downgrade': { type: 'boolean' },
    'accept-halted': { type: 'boolean' },
    irreversible: { type: 'boolean' },
    urgent: { type: 'boolean' },
    'not-before': { type: 'string' },
    expires: { type: 'string' },
    train: { type: 'string' },
    'train-of': { type: 'string', multiple: true },
    timeout: { type: 'string' },
  },
  async run({ args, values, signal, connect, print }) {
    const [name, ...named] = args;
    const service = serviceOf(name);
    const wanted = wantedOf(named);
    const timeoutMs = durationOf(values, 'timeout') ?? TIMEOUT_MS;
    const policy = textOf(values, 'policy');
    const version = textOf(values, 'version');
    const body = encode({
      ...wanted,
      ...(version !== undefined && { version }),
      ...(policy !== undefined && { policy: await readJson(policy) }),
      ...(values['from'] !== undefined && { from: values['from'] }),
      ...(values['allow-downgrade'] === true && { allowDowngrade: true }),
      ...(values['accept-halted'] === true && { acceptHalted: true }),
      ...(values['irreversible'] === true && { irreversible: true }),
      ...(values['urgent'] === true && { urgent: true }),
      ...(values['not-before'] !== undefined && { notBefore: values['not-before'] }),
      ...(values['expires'] !== undefined && { expires: values['expires'] }),
      ...(values['train'] !== undefined && { train: values['train'] }),
      ...(values['train-of'] !== undefined && { trainOf: values['train-of'] }),
    });
    const read = decode(body, releaseSchema);
    if (!read.ok) throw new UsageError(`that is no release: ${read.problems.join('; ')}`);
    const { sequence: rollout, answer } = await askCoordinator(await connect(), {
      asked: 'release',
      subject: releaseSubject(service),
      body,
      line: `release of ${service}: ${named.join(', ')}`,
      timeoutMs,
      signal,
    });
    const watchIt = `swell status ${service} --watch --rollout ${rollout}`;
    if (answer === undefined) {
      const waiting = `release ${rollout} of ${service} is stored, and no coordinator has answered within ${formatDuration(timeoutMs)}`;
      print({ service, rollout, accepted: null }, [
        row(waiting, 'busy'),
        row(`  swell doctor tells whether one leads; ${watchIt} waits on`, 'quiet'),
      ]);
      return EXIT.timedOut;
    }
    const { applied: accepted, event } = answer;
    if (accepted === null) {
      print({ service, rollout, accepted, waits: event.line }, [
        row(event.line, 'busy'),
        row(`  ${watchIt}`, 'quiet'),
      ]);
      return EXIT.done;
    }
    print({ service, rollout, accepted, line: event.line, problems: event.problems ?? [] }, [
      row(event.line, accepted ? 'good' : 'bad'),
      ...(accepted ? [row(`  ${watchIt}`, 'quiet')] : []),
    ]);
    return accepted ? EXIT.done : EXIT.failed;
  },
};

/** One image, or one for each part: no image's name has a `=`. */
function wantedOf(
  named: readonly string[],
): { readonly image: string } | { readonly images: Readonly<Record<string, string>> } {
  const [first] = named;
  if (first === undefined)
    throw new UsageError('<image> is missing: name one such as registry.example/web:v2');
  if (!first.includes('=')) {
    atMost(1, named);
    return { image: first };
  }
  const images = new Map<string, string>();
  for (const word of named) {
    const at = word.indexOf('=');
    const part = word.slice(0, at);
    if (at < 1) throw new UsageError(`"${word}" names no part: write <part>=<image>`);
    if (images.has(part)) throw new UsageError(`the part ${part} is named twice`);
    images.set(part, word.slice(at + 1));
  }
  return { images: Object.fromEntries(images) };
}
