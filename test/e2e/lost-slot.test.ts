/** I7. A slot whose lease ran out is lost, not free: it costs budget, it is cleared aloud, and its node learns of it. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { DockerGate } from '../fleet/docker-gate.ts';
import type { FleetNode } from '../fleet/fleet.ts';
import {
  expectOn,
  fleetOfThisFile,
  GATED,
  givePolicy,
  letPass,
  QUICK,
  untilRuns,
} from '../fleet/scenario.ts';
import {
  firstToSay,
  patiently,
  slotHolders,
  untilEvent,
  untilLine,
  untilReport,
  untilSo,
} from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

/** One slot for two nodes, and one failure that nobody minds. A machine that stands still for a moment loses no slot. */
const POLICY = { ...QUICK, stages: [100], slotLease: '10s', failureBudget: { max: 1 } };

describeWithDocker('a slot that is not renewed', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 2 } });
  const gates = new Map<FleetNode, DockerGate>();
  let good: PinnedImage;

  beforeAll(async () => {
    for (const node of fleet().nodes) {
      await fleet().agentOf(node).stop();
      gates.set(node, await DockerGate.open());
      startAgent(node);
    }
  });

  beforeEach(() => givePolicy(fleet(), POLICY));

  afterAll(async () => {
    for (const gate of gates.values()) await gate[Symbol.asyncDispose]();
  });

  it('because its agent was killed and stays away: it is lost and cleared, and the others go on', async () => {
    const v2 = await fleet().publishImage('v2');
    const { rollout, first, other } = await beginAt(v2);
    await fleet().agentOf(first).kill();
    const lost = await untilEvent(fleet(), 'slot-lost', rollout);
    expect(lost).toMatchObject({ node: first.name, region: 'eu-west', slot: 0 });
    expect(await untilEvent(fleet(), 'slot-cleared', rollout)).toMatchObject({ revision: lost.revision });
    await letPass(fleet(), other, v2);
    await untilReport(fleet(), other, 'healthy', rollout);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    // Its container has been up all along; only nobody had asked it.
    startAgent(first);
    await letPass(fleet(), first, v2);
    await untilReport(fleet(), first, 'healthy', rollout);
    good = v2;
    await expectOn(fleet(), good);
  });

  it("because its agent was frozen after the cut-over: it learns that it lost its slot, and takes nobody else's", async () => {
    const v3 = await fleet().publishImage('v3');
    const { rollout, first, other } = await beginAt(v3);
    const agent = fleet().agentOf(first);
    agent.signal('SIGSTOP');
    await untilEvent(fleet(), 'slot-cleared', rollout);
    await untilReport(fleet(), other, 'updating', rollout);
    const before = agent.said;
    agent.signal('SIGCONT');
    await untilLine(
      fleet(),
      agent,
      'its renewal to be refused',
      ({ event }) => event === 'slot-not-renewed',
      before,
    );
    await letPass(fleet(), first, v3);
    await untilReport(fleet(), first, 'healthy', rollout);
    // Of slots the log may hear later than of reports.
    await untilSo(
      fleet(),
      `${other.name} alone to hold a slot`,
      async () =>
        slotHolders(fleet())
          .map(({ node }) => node)
          .join() === other.name,
    );
    await letPass(fleet(), other, v3);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    good = v3;
    await expectOn(fleet(), good);
  });

  it('because its agent was frozen before the cut-over: nothing stops without a slot, and it tries again later', async () => {
    const v4 = await fleet().publishImage('v4');
    const holds = fleet().nodes.map((node) => ({
      node,
      hold: gateOf(node).hold({ pattern: /\/rename\?name=.*[.]swell-next$/, when: 'after' }),
    }));
    const rollout = await fleet().release({ image: `${fleet().repository}:v4` });
    const prepared = Promise.race(holds.map(({ node, hold }) => hold.arrived.then(() => node)));
    const first = await patiently(fleet(), 'a node to have prepared its swap', prepared);
    const agent = fleet().agentOf(first);
    agent.signal('SIGSTOP');
    for (const { hold } of holds) hold.release();
    await untilEvent(fleet(), 'slot-cleared', rollout);
    await expectServing(first, good);
    agent.signal('SIGCONT');
    const interrupted = await untilReport(fleet(), first, 'interrupted', rollout);
    expect(interrupted.attempt).toMatch(attemptName(rollout, 1));
    expect(interrupted.reason).toMatch(/^its slot was lost before /);
    expect(await untilReport(fleet(), first, 'healthy', rollout)).toMatchObject({
      attempt: expect.stringMatching(attemptName(rollout, 2)),
    });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    good = v4;
    await expectOn(fleet(), good);
  });

  it('beyond the failure budget halts the rollout: nobody follows, and who was lost goes back when he is back', async () => {
    await givePolicy(fleet(), { ...POLICY, failureBudget: { max: 0 } });
    const v5 = await fleet().publishImage('v5');
    const { rollout, first, other } = await beginAt(v5);
    await fleet().agentOf(first).kill();
    await untilEvent(fleet(), 'slot-lost', rollout);
    await untilEvent(fleet(), 'rollout-halted', rollout);
    await expectOn(fleet(), good, [other]);
    startAgent(first);
    await untilReport(fleet(), first, 'returned', rollout);
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), good);
    expect(
      fleet()
        .log.reports(rollout)
        .filter(({ node }) => node === other.name)
        .map(({ status }) => status),
    ).toEqual(['staged']);
  });

  /** One of the two runs the new image, which is not well yet; the other one waits for the only slot. */
  async function beginAt(image: PinnedImage) {
    const before = new Map(fleet().nodes.map((node) => [node, fleet().agentOf(node).said]));
    const rollout = await fleet().release({ image: `${fleet().repository}:${image.tag}`, ...GATED });
    const first = await firstToSay(fleet(), 'updating', rollout);
    const other = fleet().nodes.find((node) => node !== first) ?? first;
    await untilRuns(fleet(), first, image);
    await untilLine(
      fleet(),
      fleet().agentOf(first),
      'the probing to begin',
      ({ phase }) => phase === 'probing',
      before.get(first),
    );
    return { rollout, first, other };
  }

  async function expectServing(node: FleetNode, image: PinnedImage): Promise<void> {
    await untilSo(
      fleet(),
      `${node.name} to serve ${image.tag} still`,
      async () => (await fleet().serving(node)) === image.tag,
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
});

/** The count behind the mark of the node's journal. */
function attemptName(rollout: number, count: number): RegExp {
  return new RegExp(`^${rollout}\\.update\\.\\w{6}-${count}$`);
}
