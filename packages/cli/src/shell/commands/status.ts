import type { Bus } from '@swell/shared/adapters/bus.ts';
import { readStored } from '@swell/shared/adapters/reading.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { scopesOf } from '@swell/shared/domain/scope.ts';
import { releaseSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Screen } from '../../adapters/terminal.ts';
import { drawStatus } from '../../core/draw-status.ts';
import { row } from '../../core/rows.ts';
import type { ToldEvent } from '../../core/sightings.ts';
import {
  EXIT,
  type ExitCode,
  exitCodeOf,
  isEndTold,
  type RolloutStatus,
  summarize,
} from '../../core/status.ts';
import { atMost, type Command, type Context, durationOf, rolloutOf, serviceOf } from '../command.ts';
import { assignmentsOn, SCOPE_OPTION, scopeOf } from '../scopes.ts';
import { TooLateError, UsageError } from '../usage.ts';
import { type Watched, type Watching, watchService } from '../watching.ts';
import { printOverview } from './overview.ts';

export const status: Command = {
  name: 'status',
  usage: '[<service>] [--scope <scope>] [--watch] [--rollout <number>] [--timeout 30m]',
  about: 'Shows how rollouts stand; with --watch until one ends (0 settled, 2 stopped, 3 too long)',
  options: {
    watch: { type: 'boolean', short: 'w' },
    rollout: { type: 'string' },
    timeout: { type: 'string' },
    ...SCOPE_OPTION,
  },
  async run(context) {
    const { args, values, connect, print } = context;
    const [name] = atMost(1, args);
    const rollout = rolloutOf(values);
    const timeoutMs = durationOf(values, 'timeout');
    const watches = values['watch'] === true;
    if (timeoutMs !== undefined && !watches) throw new UsageError('--timeout is for --watch: say both');
    if (name === undefined) {
      if (watches || rollout !== undefined || values['scope'] !== undefined)
        throw new UsageError('<service> is missing: --watch, --rollout and --scope are of one');
      return printOverview(await connect(), print);
    }
    const service = serviceOf(name);
    const bus = await connect();
    if (rollout !== undefined) await needRelease(bus, service, rollout);
    const wanted = { service, rollout, ...scopeOf(values), assigned: await assignmentsOn(bus) };
    return watches ? watch(context, bus, { ...wanted, timeoutMs }) : show(context, bus, wanted);
  },
};

async function needRelease(bus: Bus, service: ServiceName, rollout: number): Promise<void> {
  for await (const { sequence } of readStored(bus, STREAMS.releases, releaseSubject(service), rollout)) {
    if (sequence === rollout) return;
    break;
  }
  throw new UsageError(`${rollout} is no release of ${service}: swell history ${service} shows them`);
}

interface Wanted extends Watched {
  readonly rollout: number | undefined;
}

/** Without a scope that is named: every one that there is. */
async function show({ print }: Context, bus: Bus, wanted: Wanted): Promise<ExitCode> {
  const { service, scope, assigned } = wanted;
  const others = scope === undefined ? scopesOf(assigned) : [];
  const found = await Promise.all([
    look(bus, wanted),
    ...others.map((other) => look(bus, { ...wanted, scope: other })),
  ]);
  const [only] = found;
  print(
    others.length === 0 && only !== undefined ? only : { service, scopes: found },
    found.flatMap((one) => drawStatus(one)),
  );
  return EXIT.done;
}

async function look(bus: Bus, wanted: Wanted): Promise<RolloutStatus> {
  const watching = watchService(bus, wanted, () => undefined);
  await watching.caughtUp;
  watching.close();
  return summarize(watching.sightings, wanted.rollout);
}

async function watch(
  { screen, json, signal, print }: Context,
  bus: Bus,
  wanted: Wanted & { readonly timeoutMs: number | undefined },
): Promise<ExitCode> {
  const { service, rollout, timeoutMs } = wanted;
  await using stack = new AsyncDisposableStack();
  const late = new AbortController();
  if (timeoutMs !== undefined) {
    const timer = setTimeout(() => late.abort(), timeoutMs);
    stack.defer(() => clearTimeout(timer));
  }
  let onSeen: (() => void) | undefined;
  const watching = watchService(bus, wanted, () => onSeen?.());
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
  onSeen = () => picture.touch();
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
