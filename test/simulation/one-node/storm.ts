/** From one seed: releases of the agent's image, good ones and bad ones, and everything that goes wrong on its node meanwhile. */

import type { StreamShape } from '../bus/definition.ts';
import type { Chance } from '../chance.ts';
import type { Violation } from './truth.ts';
import { type Nature, OneNode, type RunningAgent } from './world.ts';

const NATURES: readonly Nature[] = ['well', 'well', 'well', 'sick', 'unproven', 'ends'];
/** An own swap without accidents takes about half a minute. */
const STORM_MS = 120_000;
/** Leases that lapse, a new agent that is waited for in vain, three attempts that were cut off, and Docker's pauses between starts. */
const CALM_MS = 1_800_000;
const AWAY_MS = { min: 1_000, max: 25_000 };
/** Beyond a lease, so that a holder is frozen for longer than it has it. */
const FROZEN_MS = { min: 500, max: 30_000 };

const FAULTS = [
  'an agent dies',
  'all agents die',
  'an agent is frozen',
  'the bus is away',
  'dockerd is restarted',
  'the machine is off',
  'a person halts it',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Outcome {
  readonly violation: Violation | undefined;
  /** What went wrong, in order. */
  readonly faults: readonly string[];
  readonly statuses: readonly string[];
  /** What those who ran in an own swap were about when they died or were frozen. */
  readonly met: readonly string[];
}

export async function liveThrough(seed: string, shapes: readonly StreamShape[]): Promise<Outcome> {
  const faults: string[] = [];
  const met: string[] = [];
  const policy = seed.length % 2 === 0 ? 'always' : 'unless-stopped';
  using node = new OneNode(seed, shapes, policy);
  const chance = node.chance.fork('storm');
  await node.open();
  node.release('v2', chance.pick(NATURES));
  const rate = chance.pick([0, 0.001, 0.004, 0.02]);
  let isStorm = true;
  node.onEffect = (agent, name, when) => {
    if (!isStorm || !chance.happens(rate)) return;
    met.push(`${when} ${name}`);
    if (chance.happens(0.6)) node.dockerd.kill(agent.container);
    else freeze(node, agent, chance);
  };
  const strike = async (): Promise<void> => {
    const fault = chance.pick(FAULTS);
    faults.push(`${fault} at ${node.time.nowMs}`);
    await befall(node, fault, chance);
  };
  const second = chance.happens(0.4) ? chance.between(20_000, STORM_MS) : Number.POSITIVE_INFINITY;
  const beganMs = node.time.nowMs;
  let isReleased = false;
  while (node.time.nowMs < beganMs + STORM_MS && node.truth.violation === undefined) {
    await node.run(chance.exponential(40_000));
    if (!isReleased && node.time.nowMs > beganMs + second) {
      isReleased = true;
      node.release('v3', chance.pick(NATURES));
    }
    await strike();
  }
  isStorm = false;
  node.server.up();
  await node.run(AWAY_MS.max + FROZEN_MS.max);
  await node.run(CALM_MS, () => node.truth.isQuiet && hasEnded(node));
  node.truth.finish();
  return {
    violation: node.truth.violation,
    faults,
    met,
    statuses: node.truth.reports.map(({ status }) => status),
  };
}

/** Nothing has happened for longer than the agent rests after an attempt that was cut off. */
function hasEnded(node: OneNode): boolean {
  return node.time.nowMs - node.truth.lastReportMs > 90_000;
}

function freeze(node: OneNode, { process }: RunningAgent, chance: Chance): void {
  process.pause();
  node.time.after(chance.between(FROZEN_MS.min, FROZEN_MS.max), () => process.resume());
}

async function befall(node: OneNode, fault: Fault, chance: Chance): Promise<void> {
  const awayMs = chance.between(AWAY_MS.min, AWAY_MS.max);
  const { agents } = node;
  const agent = agents.length === 0 ? undefined : chance.pick(agents);
  switch (fault) {
    case 'an agent dies':
      if (agent !== undefined) node.dockerd.kill(agent.container);
      return;
    case 'all agents die':
      for (const { container } of agents) node.dockerd.kill(container);
      return;
    case 'an agent is frozen':
      if (agent !== undefined) freeze(node, agent, chance);
      return;
    case 'the bus is away':
      node.server.down();
      node.time.after(awayMs, () => node.server.up());
      return;
    case 'dockerd is restarted':
      if (node.dockerd.isUp) node.restartDockerd(awayMs);
      return;
    case 'the machine is off':
      if (node.dockerd.isUp) node.reboot(awayMs);
      return;
    case 'a person halts it':
      node.halt();
  }
}
