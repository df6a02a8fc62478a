/** One life: a service is set up, its agent is held at a point, something befalls it, and in the end all must be well. */

import { unlessAborted } from '../fleet/fleet.ts';
import type { Program } from '../fleet/programs.ts';
import { EFFECT, HELD } from './announcer.ts';
import { type Point, parsePoint } from './point.ts';
import { Stand, type StandOptions } from './stand.ts';
import { type Expected, judge } from './verdict.ts';

/** Far more than anything here takes on the slowest machine. */
const PATIENCE_MS = 120_000;

export interface TrialOptions extends StandOptions {
  /** Missing: the agent lives undisturbed. */
  readonly point?: Point;
  /** What befalls the agent while it is held; returns the one that goes on. */
  readonly strike?: (agent: Program, stand: Stand) => Promise<Program>;
  readonly expected?: (stand: Stand) => Expected;
}

export interface Trial {
  readonly name: string;
  /** Did the agent come to its point? */
  readonly reached: boolean;
  readonly problems: readonly string[];
  /** Every point that the announced agent came by, in order. */
  readonly passed: readonly Point[];
}

/** SIGKILL, from outside; another agent is started, the plain program. */
export async function killed(agent: Program, stand: Stand): Promise<Program> {
  await agent.kill();
  return stand.startAgent('plain');
}

export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { point, strike = killed, ground, flow } = options;
  await using stand = await Stand.set(options);
  let reached = false;
  let first: Program | undefined;
  let problems: readonly string[];
  const until = <T>(what: string, found: Promise<T>): Promise<T> => within(what, found, ground.stop);
  try {
    first = stand.startAgent('announced', point);
    reached = await until('the point or the end', isHeldBeforeTheEnd(first, stand));
    const last = reached ? await strike(first, stand) : first;
    await until('the agent to have looked at everything', hasLooked(last));
    await until('a result that stands, and a free slot', stand.untilOver());
    const code = reached || last.isRunning ? await until('the agent to end in order', last.stop()) : 0;
    problems = [
      ...(code === 0 ? [] : [`the agent ended with ${code ?? 'a signal'}`]),
      ...(await judge(stand, options.expected?.(stand) ?? flow)),
    ];
  } catch (error) {
    problems = [(error as Error).message];
  }
  if (problems.length > 0 && !ground.stop.aborted) ground.keepsLogs = true;
  return { name: stand.name, reached, problems, passed: pointsIn(first) };
}

/** The last points come after the result, or only once the agent is told to end. */
async function isHeldBeforeTheEnd(agent: Program, stand: Stand): Promise<boolean> {
  const held = agent
    .line(({ msg }) => msg === HELD)
    .then(
      () => true,
      () => false,
    );
  const isHeld = (): boolean => agent.has(({ msg }) => msg === HELD);
  const ended = stand.untilOver().then(async () => {
    if (!isHeld()) agent.signal('SIGTERM');
    await agent.ended;
    return isHeld();
  });
  return Promise.race([held, ended]);
}

/** At the engine, the orders and the slots: whatever it has to do, it has begun to. */
async function hasLooked(agent: Program): Promise<void> {
  for (const event of ['observed', 'orders-read', 'slots-read']) {
    await agent.line((line) => line['event'] === event);
  }
}

function pointsIn(agent: Program | undefined): readonly Point[] {
  const said = (agent?.lines ?? []).filter(({ msg }) => msg === EFFECT);
  return said.flatMap(({ points }) => {
    const point = parsePoint((points as readonly string[])[0] ?? '');
    return point === undefined ? [] : [point];
  });
}

async function within<T>(what: string, found: Promise<T>, stop: AbortSignal): Promise<T> {
  const late = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await unlessAborted(found, AbortSignal.any([late, stop]));
  } catch (error) {
    if (!late.aborted && !stop.aborted) throw error;
    throw new Error(
      stop.aborted ? `stopped while it waited for ${what}` : `waited ${PATIENCE_MS / 1_000} s for ${what}`,
      { cause: error },
    );
  }
}
