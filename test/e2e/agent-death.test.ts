/**
 * Agents that die. Each node's requests to Docker go through a gate, which holds one of them in the middle of a step: so
 * the agent dies there and nowhere else. Another one is started, and takes up what it finds.
 */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type { NodeStatus } from '@swell/shared/domain/report.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DockerGate, type Moment } from '../fleet/docker-gate.ts';
import type { FleetNode } from '../fleet/fleet.ts';
import {
  expectOn,
  fleetOfThisFile,
  GATED,
  givePolicy,
  giveWord,
  letAllPass,
  QUICK,
  untilRuns,
} from '../fleet/scenario.ts';
import { patiently, untilEvent, untilReport } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

const rename = (to: string): RegExp => new RegExp(`^POST /containers/\\w+/rename\\?name=[\\w.-]*${to}$`);

describeWithDocker('an agent that dies', () => {
  // A node in every region: nobody waits for another one's slot, and all die in the same rollout.
  const fleet = fleetOfThisFile({ regions: { a: 1, b: 1, c: 1, d: 1 } });
  const gates = new Map<FleetNode, DockerGate>();
  /** What the fleet has settled on. */
  let good: PinnedImage;

  beforeAll(async () => {
    await givePolicy(fleet(), { ...QUICK, stages: [100] });
    good = await fleet().publishImage('v1');
    for (const node of fleet().nodes) {
      await fleet().agentOf(node).stop();
      gates.set(node, await DockerGate.open());
      startAgent(node);
    }
  });

  afterAll(async () => {
    for (const gate of gates.values()) await gate[Symbol.asyncDispose]();
  });

  it('in the middle of a swap: another one finishes or begins anew, with one container and one result', async () => {
    const v2 = await fleet().publishImage('v2');
    const dying = dieAt([
      { pattern: /^POST \/containers\/create/, when: 'after' },
      { pattern: /^POST \/containers\/\w+\/stop/, when: 'before' },
      { pattern: /^POST \/containers\/\w+\/start/, when: 'after' },
      { pattern: rename('[.]swell-old'), when: 'after' },
    ]);
    const rollout = await fleet().release({ image: `${fleet().repository}:v2` });
    await dying;
    await untilEvent(fleet(), 'rollout-settled', rollout);
    good = v2;
    await expectOn(fleet(), good);
    expect(last(rollout, 'healthy')).toHaveLength(4);
  });

  it('on its own way back from a sick release: another one gets there, and it has failed once', async () => {
    await fleet().publishImage('v3', 'ends');
    const dying = dieAt([
      { pattern: rename('[.]swell-failed'), when: 'before' },
      { pattern: rename('[.]swell-failed'), when: 'after' },
      // The new container is started first, the old one on the way back.
      { pattern: /^POST \/containers\/\w+\/start/, when: 'after', passing: 1 },
      { pattern: /^DELETE \/containers\//, when: 'before' },
    ]);
    const rollout = await fleet().release({
      image: `${fleet().repository}:v3`,
      policy: { failureBudget: { max: 3 } },
    });
    await dying;
    await untilEvent(fleet(), 'rollout-halted', rollout);
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), good);
    expect(last(rollout, 'failed')).toHaveLength(4);
  });

  it('while the new container has yet to show that it is well: another one asks it again', async () => {
    const v4 = await fleet().publishImage('v4');
    const rollout = await fleet().release({ image: `${fleet().repository}:v4`, ...GATED });
    for (const node of fleet().nodes) {
      await untilRuns(fleet(), node, v4);
      await fleet().agentOf(node).kill();
      startAgent(node);
    }
    await letAllPass(fleet(), v4);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    good = v4;
    await expectOn(fleet(), good);
    expect(results(rollout)).toEqual(
      fleet().nodes.map(({ name }) =>
        expect.stringMatching(new RegExp(`^${name} ${rollout}\\.update\\.\\w{6}-1 healthy$`)),
      ),
    );
  });

  it('on the way back after a halt: another one gets there', async () => {
    await fleet().publishImage('v5');
    const rollout = await fleet().release({ image: `${fleet().repository}:v5` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    const dying = dieAt([
      { pattern: /^POST \/containers\/create/, when: 'after' },
      { pattern: rename('[.]swell-prev'), when: 'after' },
      { pattern: /^POST \/containers\/\w+\/start/, when: 'before' },
      { pattern: /^DELETE \/containers\//, when: 'before' },
    ]);
    expect(await giveWord(fleet(), { action: 'halt' })).toMatchObject({ name: 'control-applied' });
    await dying;
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), good);
    expect(last(rollout, 'returned')).toHaveLength(4);
  });

  it('by SIGTERM in the middle of a swap leaves nobody half-way: the node is back before the agent ends', async () => {
    const v6 = await fleet().publishImage('v6');
    const rollout = await fleet().release({ image: `${fleet().repository}:v6`, ...GATED });
    for (const node of fleet().nodes) {
      await untilRuns(fleet(), node, v6);
      expect(await fleet().agentOf(node).stop()).toBe(0);
      await expectOn(fleet(), good, [node]);
      const { reason } = await untilReport(fleet(), node, 'interrupted', rollout);
      expect(reason).toBe('the agent was stopped in the middle of it');
    }
    for (const node of fleet().nodes) startAgent(node);
    await letAllPass(fleet(), v6);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v6);
  });

  /** Each node's agent dies at a moment of its own, and another one is started. */
  async function dieAt(moments: readonly Moment[]): Promise<void> {
    const holds = fleet().nodes.map((node, index) => {
      const moment = moments[index];
      return { node, hold: moment && gateOf(node).hold(moment) };
    });
    await Promise.all(
      holds.map(async ({ node, hold }) => {
        if (hold === undefined) return;
        await patiently(fleet(), `${node.name} to be where it dies`, hold.arrived);
        await fleet().agentOf(node).kill();
        hold.release();
        startAgent(node);
      }),
    );
  }

  function startAgent(node: FleetNode): void {
    fleet().startAgent(node, { DOCKER_HOST: gateOf(node).dockerHost });
  }

  function gateOf(node: FleetNode): DockerGate {
    const gate = gates.get(node);
    if (gate === undefined) throw new Error(`${node.name} has no gate`);
    return gate;
  }

  function results(rollout: number): readonly string[] {
    return fleet()
      .log.reports(rollout)
      .filter(({ attempt, status }) => attempt !== undefined && status !== 'updating')
      .map(({ node, attempt, status }) => `${node} ${attempt} ${status}`)
      .sort();
  }

  /** The nodes that say this once, and nothing after it. */
  function last(rollout: number, status: NodeStatus): readonly string[] {
    return fleet()
      .nodes.map(({ name }) => name)
      .filter((name) => {
        const said = fleet()
          .log.reports(rollout)
          .filter(({ node }) => node === name);
        return (
          said.at(-1)?.status === status && said.filter((report) => report.status === status).length === 1
        );
      });
  }
});
