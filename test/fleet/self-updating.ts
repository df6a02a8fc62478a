/** What the tests of an agent's own update share: a fleet of one node, whose agent runs in a container of its own image. */

import { mkdir } from 'node:fs/promises';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { isResult } from '@swell/shared/domain/report.ts';
import { afterAll, beforeAll, expect } from 'vitest';
import { DockerGate } from './docker-gate.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import { OWN_POLICY, OwnAgents } from './own-agents.ts';
import { fleetOfThisFile } from './scenario.ts';
import { nodeNamed, untilAtRest } from './watching.ts';

export const AGENT = 'agent';
/** A lease that lapses and an attempt that is made once more, on the slowest machine. */
export const TURN_MS = 240_000;

/** Of what an agent asks of Docker, the renaming of a container to a name with this end. */
export const renaming = (to: string): RegExp =>
  new RegExp(`^POST /containers/\\w+/rename\\?name=[\\w.-]*${to}$`);

export interface SelfUpdating {
  readonly fleet: Fleet;
  readonly node: FleetNode;
  /** All requests to Docker go through it: the old agent's, and those of the one that follows it. */
  readonly gate: DockerGate;
  readonly agents: OwnAgents;
  /** Publishes an image of the agent, and releases it; returns the number of the rollout. */
  release(tag: string, dockerfile?: readonly string[], policy?: object): Promise<number>;
  /** One container, running, under the first one's name, and as that one was made. */
  expectAlone(tag: string): Promise<void>;
  resultsOf(rollout: number): Promise<readonly NodeReport[]>;
}

export function selfUpdatingOfThisFile(): () => SelfUpdating {
  const fleetOf = fleetOfThisFile({ regions: { a: 1 } });
  let parts: SelfUpdating | undefined;

  beforeAll(async () => {
    const fleet = fleetOf();
    const node = nodeNamed(fleet, 'a-1');
    await fleet.agentOf(node).stop();
    await mkdir(node.stateDir, { recursive: true });
    const gate = await DockerGate.open();
    const agents = await OwnAgents.build(fleet, node);
    await fleet.policy(OWN_POLICY, AGENT);
    await agents.publish('first');
    await agents.run('first', gate.dockerHost);
    // How the first agent's container was made, but for its image.
    const { made } = await agents.alone();
    parts = {
      fleet,
      node,
      gate,
      agents,
      async release(tag, dockerfile = [], policy = {}) {
        return fleet.release({ image: await agents.publish(tag, dockerfile), policy }, AGENT);
      },
      async expectAlone(tag) {
        const { made: now, image } = await agents.alone();
        expect(now).toEqual(made);
        expect(image).toBe(await agents.imageOf(tag));
      },
      resultsOf: (rollout) => resultsOf(fleet, rollout),
    };
  }, TURN_MS);

  afterAll(async () => {
    await parts?.agents[Symbol.asyncDispose]();
    await parts?.gate[Symbol.asyncDispose]();
  });

  return () => {
    if (parts === undefined) throw new Error('no agent has started');
    return parts;
  };
}

/** How the attempts of a rollout ended. The log is a copy, and may be late. */
export async function resultsOf(fleet: Fleet, rollout: number): Promise<readonly NodeReport[]> {
  await untilAtRest(fleet);
  return fleet.log.reports(rollout).filter(({ status }) => isResult(status));
}
