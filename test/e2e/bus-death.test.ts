/** The server of the bus dies half-way, in every way that it may. Who was in the middle ends it; then all goes on. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { expect, it } from 'vitest';
import {
  expectOn,
  fleetOfThisFile,
  GATED,
  givePolicy,
  IMPATIENT,
  letAllPass,
  letPass,
  QUICK,
} from '../fleet/scenario.ts';
import { nodeNamed, untilEntry, untilEvent, untilLine } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('a bus that dies', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 2, 'us-east': 1 } });
  let good: PinnedImage;

  it('is restarted half-way: the rollout goes on where it was', async () => {
    const v2 = await fleet().publishImage('v2');
    const rollout = await fleet().release({ image: `${fleet().repository}:v2`, ...GATED });
    await untilBegun(rollout, 2);
    await fleet().server.restart();
    await letAllPass(fleet(), v2);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    good = v2;
    await expectOn(fleet(), good);
  });

  it('is killed, and stays away until nodes have ended what they began: their results come later, once', async () => {
    const v3 = await fleet().publishImage('v3');
    const rollout = await fleet().release({ image: `${fleet().repository}:v3`, ...GATED });
    const begun = await untilBegun(rollout, 2);
    const before = begun.map((name) => fleet().agentOf(nodeNamed(fleet(), name)).said);
    await fleet().server.kill();
    await Promise.all(begun.map((name) => letPass(fleet(), nodeNamed(fleet(), name), v3)));
    for (const [index, name] of begun.entries()) {
      const agent = fleet().agentOf(nodeNamed(fleet(), name));
      await untilLine(
        fleet(),
        agent,
        'the swap to be over',
        ({ event }) => event === 'swap-committed',
        before[index],
      );
    }
    await expectOn(
      fleet(),
      v3,
      begun.map((name) => nodeNamed(fleet(), name)),
    );
    await fleet().server.restart();
    await letAllPass(fleet(), v3);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    good = v3;
    await expectOn(fleet(), good);
  });

  it('is killed while a node finds that the release is sick: it goes back without it, and says so later', async () => {
    await givePolicy(fleet(), { ...QUICK, stages: [100] });
    await fleet().publishImage('v4', 'sick');
    const before = new Map(fleet().nodes.map((node) => [node.name, fleet().agentOf(node).said]));
    const rollout = await fleet().release({ image: `${fleet().repository}:v4`, ...IMPATIENT });
    const [first = ''] = await untilBegun(rollout, 1);
    const agent = fleet().agentOf(nodeNamed(fleet(), first));
    const from = before.get(first);
    await untilLine(fleet(), agent, 'the new image to be probed', ({ phase }) => phase === 'probing', from);
    await fleet().server.kill();
    await untilLine(fleet(), agent, 'the way back to be over', ({ event }) => event === 'swap-undone', from);
    await expectOn(fleet(), good, [nodeNamed(fleet(), first)]);
    await fleet().server.restart();
    await untilEvent(fleet(), 'rollout-halted', rollout);
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), good);
  });

  it('is killed right after a release was stored: the release is not lost', async () => {
    const v5 = await fleet().publishImage('v5');
    const rollout = await fleet().release({ image: `${fleet().repository}:v5` });
    await fleet().server.kill();
    await fleet().server.restart();
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v5);
    expect(
      fleet()
        .log.events()
        .filter(({ name, rollout: of }) => name === 'rollout-started' && of === rollout),
    ).toHaveLength(1);
  });

  async function untilBegun(rollout: number, count: number): Promise<readonly string[]> {
    const begun = (): readonly string[] =>
      fleet()
        .log.reports(rollout)
        .filter(({ status }) => status === 'updating')
        .map(({ node }) => node);
    await untilEntry(fleet(), `${count} nodes to begin`, () => begun().length >= count || undefined);
    return begun();
  }
});
