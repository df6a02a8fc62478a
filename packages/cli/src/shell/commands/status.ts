import type { Bus } from '@swell/shared/adapters/bus.ts';
import { readStored } from '@swell/shared/adapters/reading.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { releaseSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Screen } from '../../adapters/terminal.ts';
import { drawStatus } from '../../core/draw-status.ts';
import { row } from '../../core/rows.ts';
import type { ToldEvent } from '../../core/sightings.ts';
import { EXIT, type ExitCode, exitCodeOf, isEndTold, summarize } from '../../core/status.ts';
import { atMost, type Command, type Context, durationOf, rolloutOf, serviceOf } from '../command.ts';
import { TooLateError, UsageError } from '../usage.ts';
import { type Watching, watchService } from '../watching.ts';
import { printOverview } from './overview.ts';

export const status: Command = {
  name: 'status',
  usage: '[<service>] [--watch] [--rollout <number>] [--timeout 30m]',
  about: 'Shows how rollouts stand; with --watch until one ends (0 settled, 2 stopped, 3 too long)',
  options: {
    watch: { type: 'boolean', short: 'w' },
    rollout: { type: 'string' },
    timeout: { type: 'string' },
  },
  async run(context) {
    const { args, values, connect, print } = context;
    const [name] = atMost(1, args);
    const rollout = rolloutOf(values);
    const timeoutMs = durationOf(values, 'timeout');
    const watches = values['watch'] === true;
    if (timeoutMs !== undefined && !watches) throw new UsageError('--timeout is for --watch: say both');
    if (name === undefined) {
      if (watches || rollout !== undefined)
        throw new UsageError('<service> is missing: --watch and --rollout are of one');
      return printOverview(await connect(), print);
    }
    const service = serviceOf(name);
    const bus = await connect();
    if (rollout !== undefined) await needRelease(bus, service, rollout);
    return watches
      ? watch(context, bus, { service, rollout, timeoutMs })
      : show(context, bus, { service, rollout });
  },
};

async function needRelease(bus: Bus, service: ServiceName, rollout: number): Promise<void> {
  for await (const { sequence } of readStored(bus, STREAMS.releases, releaseSubject(service), rollout)) {
    if (sequence === rollout) return;
    break;
  }
  throw new UsageError(`${rollout} is no release of ${service}: swell history ${service} shows them`);
}

interface Wanted {
  readonly service: ServiceName;
  readonly rollout: number | undefined;
}

async function show({ print }: Context, bus: Bus, { service, rollout }: Wanted): Promise<ExitCode> {
  const watching = watchService(bus, service, () => undefined);
  await watching.caughtUp;
  watching.close();
  const found = summarize(watching.sightings, rollout);
  print(found, drawStatus(found));
  return EXIT.done;
}

async function watch(
  { screen, json, signal, print }: Context,
  bus: Bus,
  { service, rollout, timeoutMs }: Wanted & { readonly timeoutMs: number | undefined },
): Promise<ExitCode> {
  await using stack = new AsyncDisposableStack();
  const late = new AbortController();
  if (timeoutMs !== undefined) {
    const timer = setTimeout(() => late.abort(), timeoutMs);
    stack.defer(() => clearTimeout(timer));
  }
  let look: (() => void) | undefined;
  const watching = watchService(bus, service, () => look?.());
  const end = AbortSignal.any([signal, late.signal]);
  end.addEventListener('abort', () => watching.close());
  if (end.aborted) watching.close();
  stack.defer(() => watching.close());
  await watching.caughtUp;
  signal.throwIfAborted();
  if (end.aborted)
    throw new TooLateError(`the bus has not shown in time how ${service} stands: swell doctor looks at it`);
  const target = rollout ?? summarize(watching.sightings).rollout;
  if (target === undefined)
    throw new UsageError(`nothing of ${service} was released yet: swell release ${service} <image>`);
  const picture = new Picture(json ? undefined : screen, watching, target);
  stack.defer(() => picture.stop());
  look = () => picture.touch();
  picture.touch();
  await watching.ended;
  signal.throwIfAborted();
  const found = summarize(watching.sightings, target);
  picture.stop();
  print(found, [
    ...drawStatus(found),
    ...(exitCodeOf(found) === EXIT.timedOut ? [row('  it took too long', 'bad')] : []),
  ]);
  return exitCodeOf(found);
}

const DRAW_EVERY_MS = 100;
/** The coordinator says that a rollout is over soon after it is, if it still leads; the log forgets that after a month. */
const LAST_WORD_MS = 3_000;

/** Draws whenever something was seen, and not more often than anybody can look; closes the watch when the rollout has ended. */
class Picture {
  readonly #screen: Screen | undefined;
  readonly #watching: Watching;
  readonly #target: number;
  #timer: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #told = 0;

  constructor(screen: Screen | undefined, watching: Watching, target: number) {
    this.#screen = screen;
    this.#watching = watching;
    this.#target = target;
  }

  touch(): void {
    this.#timer ??= setTimeout(() => this.#look(), DRAW_EVERY_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#grace);
    this.#tell();
  }

  #look(): void {
    this.#timer = undefined;
    const { sightings } = this.#watching;
    const found = summarize(sightings, this.#target);
    this.#tell();
    this.#screen?.draw(drawStatus(found));
    if (!found.ended) return;
    if (isEndTold(sightings, this.#target)) this.#watching.close();
    this.#grace ??= setTimeout(() => this.#watching.close(), LAST_WORD_MS);
  }

  /** Where no picture moves, what the coordinator says is told line by line. */
  #tell(): void {
    const { events } = this.#watching.sightings;
    const news = events.slice(this.#told).filter(({ event }) => event.rollout === this.#target);
    this.#told = events.length;
    if (this.#screen?.isLive === false) this.#screen.say(news.map((told) => row(lineOf(told))));
  }
}

function lineOf({ event, atMs }: ToldEvent): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z  ${event.line}`;
}
