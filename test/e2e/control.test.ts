/** Words of operators, given with the `nats` CLI: each is answered by an event, and does what it says. */

import { expect, it } from 'vitest';
import type { FleetNode } from '../fleet/fleet.ts';
import {
  expectOn,
  fleetOfThisFile,
  GATED,
  givePolicy,
  giveWord,
  letAllPass,
  letPass,
  QUICK,
} from '../fleet/scenario.ts';
import { untilAtRest, untilEntry, untilEvent, untilReport } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('words of control', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 2, 'us-east': 1 } });

  it('pause lets nobody start, who has begun ends, and resume goes on', async () => {
    await givePolicy(fleet(), { ...QUICK, stages: [100] });
    const v2 = await fleet().publishImage('v2');
    const rollout = await fleet().release({ image: `${fleet().repository}:v2`, ...GATED });
    await untilEntry(
      fleet(),
      'a node of each region to begin',
      () => begun(rollout).length === 2 || undefined,
    );
    expect(await giveWord(fleet(), { action: 'pause', rollout, reason: 'lunch' })).toMatchObject({
      name: 'control-applied',
    });
    expect((await untilEvent(fleet(), 'rollout-paused', rollout)).line).toContain('lunch');
    for (const region of ['eu-west', 'us-east']) await untilPaused(region, rollout);
    for (const node of begun(rollout)) await letPass(fleet(), node, v2);
    for (const node of begun(rollout)) await untilReport(fleet(), node, 'healthy', rollout);
    await untilAtRest(fleet());
    expect(begun(rollout)).toHaveLength(2);
    expect(await giveWord(fleet(), { action: 'resume' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-resumed', rollout);
    await letAllPass(fleet(), v2);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v2);
  });

  it('approve opens the next stage, once, and only where one waits', async () => {
    await givePolicy(fleet(), { ...QUICK, approval: 'manual' });
    const v3 = await fleet().publishImage('v3');
    const rollout = await fleet().release({ image: `${fleet().repository}:v3` });
    await untilEvent(fleet(), 'approval-awaited', rollout);
    expect(await giveWord(fleet(), { action: 'approve', rollout: rollout - 1 })).toMatchObject({
      name: 'control-rejected',
      problems: [`rollout: the present rollout is ${rollout}, not ${rollout - 1}`],
    });
    expect(await giveWord(fleet(), { action: 'approve', rollout })).toMatchObject({
      name: 'control-applied',
    });
    await untilEvent(fleet(), 'stage-approved', rollout);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v3);
    expect(await giveWord(fleet(), { action: 'approve' })).toMatchObject({
      name: 'control-rejected',
      problems: [`nothing waits for approval: rollout ${rollout} is settled`],
    });
  });

  it('abort leaves everybody where he is, and the next release goes on from there', async () => {
    const v3 = await fleet().publishImage('v3');
    const v4 = await fleet().publishImage('v4');
    const v5 = await fleet().publishImage('v5');
    const rollout = await fleet().release({ image: `${fleet().repository}:v4` });
    await untilEvent(fleet(), 'approval-awaited', rollout);
    expect(await giveWord(fleet(), { action: 'abort' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-aborted', rollout);
    await untilEntry(fleet(), 'the wave to say that it is aborted', (entry) =>
      entry.kind === 'wave' && entry.wave.phase === 'aborted' ? entry : undefined,
    );
    const updated = new Set(
      fleet()
        .log.reports(rollout)
        .filter(({ status }) => status === 'healthy')
        .map(({ node }) => node),
    );
    await expectOn(
      fleet(),
      v4,
      fleet().nodes.filter(({ name }) => updated.has(name)),
    );
    await expectOn(
      fleet(),
      v3,
      fleet().nodes.filter(({ name }) => !updated.has(name)),
    );
    expect(updated.size).toBe(2);
    await givePolicy(fleet(), QUICK);
    const next = await fleet().release({ image: `${fleet().repository}:v5` });
    await untilEvent(fleet(), 'rollout-settled', next);
    await expectOn(fleet(), v5);
  });

  it.each([
    [
      'explode',
      { action: 'explode' },
      /^action: must be one of approve, pause, resume, halt, abort, reject, /,
    ],
    ['a hold of nobody', { action: 'hold', reason: 'new disks' }, /^the message: must name nodes, a label, /],
    ['a field that nobody knows', { action: 'pause', untill: 'tomorrow' }, /untill/],
    ['no JSON', 'approve!', /^the message is not JSON/],
    ['nothing', '', /^the message is empty/],
    ['a number that is none', { action: 'approve', rollout: 'seven' }, /^rollout: /],
    [
      'resume where nothing is paused',
      { action: 'resume' },
      /^there is nothing to resume: rollout \d+ is settled$/,
    ],
  ])('%s is refused, with the reason', async (_, word, reason) => {
    const answer = await giveWord(fleet(), word);
    expect(answer).toMatchObject({ name: 'control-rejected', service: 'web' });
    expect(answer.problems?.[0]).toMatch(reason);
  });

  it('a word to a service without a rollout is refused', async () => {
    expect(await giveWord(fleet(), { action: 'pause' }, 'nobody')).toMatchObject({
      name: 'control-rejected',
      service: 'nobody',
      problems: ['there is no rollout yet'],
    });
  });

  function begun(rollout: number): readonly FleetNode[] {
    const reports = fleet().log.reports(rollout);
    return fleet().nodes.filter(({ name }) =>
      reports.some(({ node, status }) => node === name && status === 'updating'),
    );
  }

  function untilPaused(region: string, rollout: number): Promise<unknown> {
    return untilEntry(fleet(), `${region} to be paused`, (entry) =>
      entry.kind === 'wave' &&
      entry.wave.region === region &&
      entry.wave.release.rollout === rollout &&
      entry.wave.phase === 'paused'
        ? entry
        : undefined,
    );
  }
});
