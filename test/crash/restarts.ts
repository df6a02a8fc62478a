/**
 * The machine's dockerd ends and begins again while agents are in the middle of it: many services at once, each agent
 * held at a point of its own, so that one restart meets all of them.
 */

import type { Program } from '../fleet/programs.ts';
import { freePorts } from '../support/ports.ts';
import { FLOW_NAMES, FLOWS, type FlowName } from './flow.ts';
import type { Ground } from './ground.ts';
import type { Machine } from './machine.ts';
import type { OwnDockerd } from './own-dockerd.ts';
import type { Point } from './point.ts';
import { runTrial, type Trial } from './trial.ts';

/**
 * - `dockerd-stops`: in order; it stops its containers. The agent lives on.
 * - `dockerd-dies`: by SIGKILL; its containers run on. The agent lives on.
 * - `reboot`: the agent is killed, dockerd stops; both begin again.
 */
export const RESTARTS = ['dockerd-stops', 'dockerd-dies', 'reboot'] as const;
export type Restart = (typeof RESTARTS)[number];

/** Long enough that no slot is lost while dockerd is away. */
const SLOT_LEASE_MS = 60_000;

export interface Place {
  readonly flow: FlowName;
  readonly point: Point;
}

/** One restart for all these places. Returns what came of each, in their order. */
export async function restartAt(
  restart: Restart,
  places: readonly Place[],
  parts: { readonly ground: Ground; readonly machine: Machine; readonly dockerd: OwnDockerd },
): Promise<readonly Trial[]> {
  const { dockerd, ...where } = parts;
  const ports = await freePorts(places.length);
  const arrivals = places.map(() => Promise.withResolvers<void>());
  const down = Promise.withResolvers<void>();
  const up = Promise.withResolvers<void>();
  const trials = places.map(async ({ flow, point }, index) => {
    try {
      return await runTrial({
        ...where,
        flow: FLOWS[flow],
        port: ports[index] ?? 0,
        slotLeaseMs: SLOT_LEASE_MS,
        point,
        strike: async (agent, stand): Promise<Program> => {
          arrivals[index]?.resolve();
          await down.promise;
          if (restart === 'reboot') {
            await agent.kill();
            await up.promise;
            return stand.startAgent('plain');
          }
          agent.signal('SIGCONT');
          await up.promise;
          return agent;
        },
      });
    } finally {
      arrivals[index]?.resolve();
    }
  });
  // Nobody waits for the trials before dockerd is back; what becomes of them is seen there.
  for (const trial of trials) trial.catch(() => {});
  await Promise.all(arrivals.map(({ promise }) => promise));
  await dockerd.end(restart === 'dockerd-dies' ? 'SIGKILL' : 'SIGTERM');
  down.resolve();
  await dockerd.start();
  up.resolve();
  return Promise.all(trials);
}

/** So many points of each flow's middle, evenly spread, others for each kind of restart. */
export function samplePlaces(
  points: ReadonlyMap<FlowName, readonly Point[]>,
  restart: Restart,
  perFlow: number,
): readonly Place[] {
  const shift = RESTARTS.indexOf(restart) / RESTARTS.length;
  return FLOW_NAMES.flatMap((flow) => {
    const middle = middleOf(points.get(flow) ?? []);
    const count = Math.min(perFlow, middle.length);
    return Array.from({ length: count }, (_, index) => {
      const point = middle[Math.floor(((index + shift) * middle.length) / count)];
      return point === undefined ? [] : [{ flow, point }];
    }).flat();
  });
}

/** From the first step towards a swap to its last: where dockerd matters. */
function middleOf(points: readonly Point[]): readonly Point[] {
  const from = points.findIndex(({ effect }) => effect.startsWith('create-new'));
  const to = points.findIndex(({ effect }) => effect === 'journal: attempt ends');
  return points.slice(Math.max(0, from), to < 0 ? undefined : to);
}
