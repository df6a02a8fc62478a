/** Every way in turns on one machine, so that whatever else the machine does befalls them alike: only their ratios carry. */

import { freePorts } from '../../support/ports.ts';
import { median, ratio, rounded } from '../figures.ts';
import { openComposed } from './compose.ts';
import { Ground } from './ground.ts';
import { noRetransTime, TUNED_MS, withRetransTime } from './neighbour.ts';
import type { DowntimeOptions } from './options.ts';
import { openSingle } from './single.ts';
import { openSwarm } from './swarm.ts';
import { outageDuring } from './watch.ts';
import type { Way, WayName, Ways } from './way.ts';

/** In ms: of the longest times without a good answer. */
type Medians = Readonly<Partial<Record<WayName, number>>>;

export type Summary = Medians & {
  readonly swapToBound?: number;
  readonly swapToComposeUp?: number;
  readonly swapTunedToComposeUp?: number;
  readonly swapTunedToBoundTuned?: number;
  readonly runs: number;
  readonly skipped: Readonly<Partial<Record<WayName, string>>>;
};

/** @param noCompose why Compose cannot be had, where it cannot */
export async function measure(
  { runs, rate, ways: names }: DowntimeOptions,
  noCompose: string | undefined,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Summary> {
  await using stack = new AsyncDisposableStack();
  const { ways, skipped } = await openWays(stack, names, noCompose);
  for (const [name, reason] of Object.entries(skipped)) say(`Without ${name}: ${reason}`);
  const outages = new Map<WayName, number[]>();
  const open = Object.entries(ways) as [WayName, Way][];
  for (let run = 0; run < runs; run += 1) {
    // Every run begins with another one: none has always the same before it.
    const from = run % Math.max(open.length, 1);
    for (const [name, way] of [...open.slice(from), ...open.slice(0, from)]) {
      signal.throwIfAborted();
      const { port } = way;
      const wanted = await way.makeReady();
      const outage = await outageDuring(() => way.replace(), { port, rate });
      const served = await (await fetch(`http://127.0.0.1:${port}/`)).text();
      if (served !== wanted) throw new Error(`${name} was to bring ${wanted}, and ${served} is served`);
      outages.set(name, [...(outages.get(name) ?? []), outage]);
      say(`${run + 1} of ${runs}: ${name} ${rounded(outage, 0)} ms`);
    }
  }
  return summed(outages, runs, skipped);
}

function summed(
  outages: ReadonlyMap<WayName, readonly number[]>,
  runs: number,
  skipped: Summary['skipped'],
): Summary {
  const medians = new Map([...outages].map(([name, figures]) => [name, median(figures)]));
  const ratios = {
    swapToBound: ratio(medians.get('swap'), medians.get('bound')),
    swapToComposeUp: ratio(medians.get('swap'), medians.get('composePullUp')),
    swapTunedToComposeUp: ratio(medians.get('swapTuned'), medians.get('composePullUp')),
    swapTunedToBoundTuned: ratio(medians.get('swapTuned'), medians.get('boundTuned')),
  };
  return {
    ...(Object.fromEntries([...medians].map(([name, ms]) => [name, rounded(ms, 0)])) as Medians),
    ...Object.fromEntries(Object.entries(ratios).filter(([, value]) => value !== undefined)),
    runs,
    skipped,
  };
}

interface Opened {
  readonly ways: Ways;
  readonly skipped: Summary['skipped'];
}

async function openWays(
  stack: AsyncDisposableStack,
  wanted: readonly WayName[],
  noCompose: string | undefined,
): Promise<Opened> {
  const ground = stack.use(await Ground.open());
  const [singlePort = 0, composePort = 0, swarmPort = 0] = await freePorts(3);
  const single = stack.use(await openSingle(ground, singlePort));
  const possible: Partial<Record<WayName, Way>> = { swap: single.swap, bound: single.bound };
  const skipped: Partial<Record<WayName, string>> = {};
  const tunable = await noRetransTime(single.bridge);
  const tune = (name: WayName, way: Way, bridge: string): void => {
    if (tunable === undefined) possible[name] = tuned(way, bridge);
    else skipped[name] = tunable;
  };
  tune('swapTuned', single.swap, single.bridge);
  tune('boundTuned', single.bound, single.bridge);
  if (noCompose === undefined) {
    const composed = stack.use(await openComposed(ground, composePort));
    possible.composeDownUp = composed.downUp;
    possible.composePullUp = composed.pullUp;
    tune('composePullUpTuned', composed.pullUp, composed.bridge);
  } else {
    for (const name of ['composeDownUp', 'composePullUp', 'composePullUpTuned'] as const)
      skipped[name] = noCompose;
  }
  if (wanted.includes('swarm')) {
    try {
      possible.swarm = stack.use(await openSwarm(ground, swarmPort)).update;
    } catch (error) {
      skipped.swarm = (error as Error).message;
    }
  }
  const only = <Value>(of: Partial<Record<WayName, Value>>) =>
    Object.fromEntries(wanted.flatMap((name) => (of[name] === undefined ? [] : [[name, of[name]]])));
  return { ways: only(possible), skipped: only(skipped) };
}

function tuned(way: Way, bridge: string): Way {
  return { ...way, replace: () => withRetransTime(bridge, TUNED_MS, () => way.replace()) };
}
