/** Nodes that are away while something is decided, and come back afterwards. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { nodeKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { expect, it } from 'vitest';
import type { FleetNode } from '../fleet/fleet.ts';
import {
  expectOn,
  fleetOfThisFile,
  GATED,
  givePolicy,
  giveWord,
  IMPATIENT,
  QUICK,
  untilRuns,
} from '../fleet/scenario.ts';
import { firstToSay, untilEvent, untilReport } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('a node that is away', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 3 } });
  let good: PinnedImage;

  it('during a rollout catches up once it is back', async () => {
    const [away, ...others] = nodes();
    await leave(away);
    good = await fleet().publishImage('v2');
    const rollout = await fleet().release({ image: `${fleet().repository}:v2` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), good, others);
    expect(reportsOf(away, rollout)).toEqual([]);
    fleet().startAgent(away);
    await untilReport(fleet(), away, 'healthy', rollout);
    await expectOn(fleet(), good);
  });

  it('during a halt does not take the bad digest when it is back', async () => {
    const [away] = nodes();
    await leave(away);
    await fleet().publishImage('v3', 'sick');
    const sick = await fleet().release({ image: `${fleet().repository}:v3`, ...IMPATIENT });
    await untilEvent(fleet(), 'rollout-rested', sick);
    fleet().startAgent(away);
    await fleet().untilPresent(away);
    // What it does next is the next good release, and nothing before it.
    good = await fleet().publishImage('v4');
    const rollout = await fleet().release({ image: `${fleet().repository}:v4` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), good);
    expect(reportsOf(away, sick)).toEqual([]);
    expect(reportsOf(away, rollout)).toContain('healthy');
  });

  it('on the bad digest during the halt goes back when it is back', async () => {
    const [away, ...others] = nodes();
    const v5 = await fleet().publishImage('v5');
    const rollout = await fleet().release({ image: `${fleet().repository}:v5` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v5);
    await leave(away);
    expect(await giveWord(fleet(), { action: 'halt' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), good, others);
    await expectOn(fleet(), v5, [away]);
    fleet().startAgent(away);
    await untilReport(fleet(), away, 'returned', rollout);
    await expectOn(fleet(), good);
  });

  it('killed on the bad digest half-way loses its slot, so that others can return; it goes back when it is back', async () => {
    await givePolicy(fleet(), { ...QUICK, slotLease: '10s', stages: [100] });
    const v6 = await fleet().publishImage('v6');
    const rollout = await fleet().release({ image: `${fleet().repository}:v6` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    const v7 = await fleet().publishImage('v7');
    good = v6;
    const bad = await fleet().release({ image: `${fleet().repository}:v7`, ...GATED });
    const away = await firstToSay(fleet(), 'updating', bad);
    const others = fleet().nodes.filter((node) => node !== away);
    await untilRuns(fleet(), away, v7);
    await fleet().agentOf(away).kill();
    await forget(away);
    expect(await giveWord(fleet(), { action: 'halt' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'slot-cleared', bad);
    await untilEvent(fleet(), 'rollout-rested', bad);
    await expectOn(fleet(), good, others);
    fleet().startAgent(away);
    await untilReport(fleet(), away, 'returned', bad);
    await expectOn(fleet(), good);
    expect(reportsOf(away, bad)).toEqual(['staged', 'updating', 'returned']);
  });

  function nodes(): readonly [FleetNode, ...FleetNode[]] {
    const [first, ...rest] = fleet().nodes;
    if (first === undefined) throw new Error('the fleet has no node');
    return [first, ...rest];
  }

  async function leave(node: FleetNode): Promise<void> {
    await fleet().agentOf(node).stop();
    await forget(node);
  }

  /** What three minutes of silence do: its presence is gone. */
  async function forget({ region, name }: FleetNode): Promise<void> {
    await fleet().bus.publish({
      subject: nodeKey(region, name),
      body: new Uint8Array(),
      line: `${name} is away`,
      deletes: true,
    });
    expect(await fleet().bus.readLast(STREAMS.nodes, nodeKey(region, name))).toMatchObject({ deleted: true });
  }

  function reportsOf(node: FleetNode, rollout: number): readonly string[] {
    return fleet()
      .log.reports(rollout)
      .filter((report) => report.node === node.name)
      .map(({ status }) => status);
  }
});
