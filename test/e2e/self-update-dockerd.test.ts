/**
 * An agent that updates itself, while dockerd is ended and started again: in order, as by an update of Docker, and by SIGKILL,
 * as where the machine has no memory left. Restart policies alone bring containers back; a dockerd that was killed starts none
 * again that is `unless-stopped`, so these are `always`. One agent remains, of the release.
 */

import { mkdir } from 'node:fs/promises';
import type { NodeStatus } from '@swell/shared/domain/report.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DockerGate, type Moment } from '../fleet/docker-gate.ts';
import type { FleetNode } from '../fleet/fleet.ts';
import { OWN_POLICY, OwnAgents } from '../fleet/own-agents.ts';
import { fleetOfThisFile } from '../fleet/scenario.ts';
import { AGENT, renaming, resultsOf, TURN_MS } from '../fleet/self-updating.ts';
import { nodeNamed } from '../fleet/watching.ts';
import { startNatsProcess } from '../support/nats-process.ts';
import { describeWithOwnDockerd } from '../support/needs.ts';
import { OwnDockerd } from '../support/own-dockerd.ts';

const STARTED: Moment = { when: 'after', pattern: /^POST \/containers\/\w+\/start/ };
const PROBED: Moment = { when: 'before', pattern: renaming('[.]swell-old') };
const COMMITTED: Moment = { when: 'after', pattern: renaming('[.]swell-old') };

/** Before the commit point the old agent comes back, and tries again; past it the new one is brought back. */
const ENDS: readonly (readonly [
  signal: 'SIGTERM' | 'SIGKILL',
  what: string,
  moment: Moment,
  results: readonly NodeStatus[],
])[] = [
  ['SIGTERM', 'the new one is started', STARTED, ['interrupted', 'healthy']],
  ['SIGKILL', 'the new one acts', PROBED, ['interrupted', 'healthy']],
  ['SIGTERM', 'the commit point', COMMITTED, ['healthy']],
  ['SIGKILL', 'the commit point', COMMITTED, ['healthy']],
];

describeWithOwnDockerd('an agent that updates itself', () => {
  const fleet = fleetOfThisFile({ regions: { a: 1 }, startBus: startNatsProcess, memory: { v1: 'well' } });
  let dockerd: OwnDockerd;
  let gate: DockerGate;
  let agents: OwnAgents;
  let node: FleetNode;
  /** How the first agent's container was made, but for its image. */
  let made: unknown;

  beforeAll(async () => {
    node = nodeNamed(fleet(), 'a-1');
    await fleet().agentOf(node).stop();
    await mkdir(node.stateDir, { recursive: true });
    dockerd = await OwnDockerd.start();
    gate = await DockerGate.open({ to: dockerd.socket });
    agents = await OwnAgents.build(fleet(), node, { docker: dockerd.docker });
    await fleet().policy(OWN_POLICY, AGENT);
    await agents.publish('first');
    await agents.run('first', gate.dockerHost, 'always');
    made = (await agents.alone()).made;
  }, TURN_MS);

  afterAll(async () => {
    await agents[Symbol.asyncDispose]();
    await gate[Symbol.asyncDispose]();
    await dockerd[Symbol.asyncDispose]();
  });

  it.each(ENDS)(
    'is one in the end where dockerd is ended by %s after %s',
    { timeout: TURN_MS },
    async (signal, what, moment, statuses) => {
      const tag = `${signal} ${what}`.toLowerCase().replaceAll(/\W+/g, '-');
      const held = gate.hold(moment);
      const rollout = await fleet().release({ image: await agents.publish(tag) }, AGENT);
      await held.arrived;
      const ended = dockerd.end(signal);
      // In order, it waits for those who wait for it.
      held.release();
      await ended;
      await dockerd.begin();
      await fleet().log.untilEvent('rollout-settled', rollout);
      const { made: now, image } = await agents.alone();
      expect(now).toEqual(made);
      expect(image).toBe(await agents.imageOf(tag));
      const results = await resultsOf(fleet(), rollout);
      expect(results.map(({ status }) => status)).toEqual(statuses);
      expect(new Set(results.map(({ attempt }) => attempt)).size).toBe(results.length);
    },
  );
});
