/** The main job: a good release reaches every node, and a bad one comes back from wherever it was. */

import { expect, it } from 'vitest';
import { expectOn, fleetOfThisFile, givePolicy, giveWord, IMPATIENT, QUICK } from '../fleet/scenario.ts';
import { firstToSay, untilEntry, untilEvent } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('a rollout on real containers', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 2, 'us-east': 2 } });

  it('brings a good release to every node', async () => {
    const v2 = await fleet().publishImage('v2');
    const rollout = await fleet().release({ image: `${fleet().repository}:v2` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v2);
    expect(results(rollout)).toEqual(fleet().nodes.map(({ name }) => `${name} healthy`));
  });

  it('halts a sick release, and every node is back on the last good image', async () => {
    const v2 = await fleet().publishImage('v2');
    await fleet().publishImage('v3', 'sick');
    const rollout = await fleet().release({ image: `${fleet().repository}:v3`, ...IMPATIENT });
    await untilEvent(fleet(), 'node-failed', rollout);
    await untilEvent(fleet(), 'rollout-halted', rollout);
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), v2);
  });

  it('takes healthy nodes back as well when a person halts', async () => {
    const v2 = await fleet().publishImage('v2');
    await fleet().publishImage('v4');
    const rollout = await fleet().release({
      image: `${fleet().repository}:v4`,
      policy: { approval: 'manual' },
    });
    await untilEvent(fleet(), 'approval-awaited', rollout);
    expect(await giveWord(fleet(), { action: 'halt', reason: 'customers complain' })).toMatchObject({
      name: 'control-applied',
    });
    const halted = await untilEvent(fleet(), 'rollout-halted', rollout);
    expect(halted.line).toContain('customers complain');
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), v2);
    expect(results(rollout).filter((line) => line.endsWith('returned'))).toHaveLength(2);
  });

  it('does not take a digest again that was halted, unless a person says so', async () => {
    const again = await fleet().release({ image: `${fleet().repository}:v4` });
    const rejected = await untilEvent(fleet(), 'release-rejected', again);
    expect(rejected.problems?.[0]).toMatch(/was halted as rollout \d+ \(customers complain\)/);
    const v4 = await fleet().publishImage('v4');
    const accepted = await fleet().release({ image: `${fleet().repository}:v4`, acceptHalted: true });
    await untilEvent(fleet(), 'rollout-settled', accepted);
    await expectOn(fleet(), v4);
  });

  it('lets a newer release supersede one that is half-way', async () => {
    await fleet().publishImage('v5');
    const v6 = await fleet().publishImage('v6');
    const older = await fleet().release({ image: `${fleet().repository}:v5` });
    await firstToSay(fleet(), 'updating', older);
    const newer = await fleet().release({ image: `${fleet().repository}:v6` });
    await untilEvent(fleet(), 'rollout-superseded', older);
    await untilEvent(fleet(), 'rollout-settled', newer);
    await expectOn(fleet(), v6);
  });

  it('needs no more than an image: the policy by default asks a person before the second stage', async () => {
    // Only the waiting is shortened: everything else is as it is without a policy.
    await givePolicy(fleet(), { soak: '0s', stagingSpread: '0s', health: { minHealthyTime: '1s' } });
    const v7 = await fleet().publishImage('v7');
    const rollout = await fleet().release({ image: `${fleet().repository}:v7` });
    await untilEvent(fleet(), 'approval-awaited', rollout);
    expect(results(rollout)).toHaveLength(2);
    expect(await giveWord(fleet(), { action: 'approve' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v7);
    await givePolicy(fleet(), QUICK);
  });

  it('begins without any policy at all', async () => {
    await fleet().nats('kv', 'del', 'swell_policies', 'web', '--force');
    // A deleted policy has no event of its own; the standing waves tell that the five stages are back.
    await untilEntry(fleet(), 'a wave by the default policy', (entry) =>
      entry.kind === 'wave' &&
      entry.wave.stage.of === 5 &&
      entry.wave.phase === 'settled' &&
      entry.wave.stagingSpreadMs === 30_000
        ? entry
        : undefined,
    );
    await fleet().publishImage('v8');
    const rollout = await fleet().release({ image: `${fleet().repository}:v8` });
    await untilEvent(fleet(), 'release-accepted', rollout);
    await untilEvent(fleet(), 'stage-staging', rollout);
    expect(await giveWord(fleet(), { action: 'abort' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-aborted', rollout);
    await givePolicy(fleet(), QUICK);
  });

  /** Who said what at the end of his attempts, by name. */
  function results(rollout: number): readonly string[] {
    return fleet()
      .log.reports(rollout)
      .filter(({ status }) => ['healthy', 'failed', 'interrupted', 'returned', 'kept'].includes(status))
      .map(({ node, status }) => `${node} ${status}`)
      .sort();
  }
});
