/** Words that release, hold and stop, given with the `nats` CLI, to real programs. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { describe, expect, it } from 'vitest';
import { SERVICE } from '../fleet/fleet.ts';
import { fleetOfThisFile, givePolicy, giveWord, QUICK, untilRuns } from '../fleet/scenario.ts';
import { runSwellCommand } from '../fleet/swell-command.ts';
import { untilEvent } from '../fleet/watching.ts';

describe('words of the operator', () => {
  const fleet = fleetOfThisFile({
    regions: { 'eu-west': 2, 'us-east': 1 },
    memory: { v1: 'well', v2: 'well', v3: 'well' },
  });

  async function expectOn(image: PinnedImage, nodes = fleet().nodes): Promise<void> {
    for (const node of nodes) await untilRuns(fleet(), node, image);
  }

  async function settleOn(tag: string) {
    const image = await fleet().publishImage(tag);
    const rollout = await fleet().release({ image: `${fleet().repository}:${tag}` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(image);
    return { image, rollout };
  }

  it('Z6, B14: undo, and a rollback to a version, each bring back what had settled', async () => {
    await givePolicy(fleet(), QUICK);
    const v2 = await settleOn('v2');
    const v3 = await settleOn('v3');
    expect(await giveWord(fleet(), { action: 'undo' })).toMatchObject({
      name: 'control-applied',
      line: `undo of web: release ${v3.rollout + 1} is v2`,
    });
    await untilEvent(fleet(), 'rollout-settled', v3.rollout + 1);
    await expectOn(v2.image);
    const ran = await runSwellCommand(fleet().server.url, ['rollback', SERVICE, 'v3']);
    expect(ran).toEqual({ code: 0, out: `rollback of web: release ${v3.rollout + 2} is v3\n`, err: '' });
    await untilEvent(fleet(), 'rollout-settled', v3.rollout + 2);
    await expectOn(v3.image);
    expect(await giveWord(fleet(), { action: 'rollback', version: 'v9' })).toMatchObject({
      name: 'control-rejected',
      problems: ['version: the fleet has not settled on v9 of late; it has on: v3, v2'],
    });
  });

  it('B2: a node that is held stays, until it is let go', async () => {
    const [held, ...others] = fleet().nodes;
    if (held === undefined) throw new Error('there are nodes');
    const word = ['new', 'disks', '--node', held.name];
    expect(await runSwellCommand(fleet().server.url, ['hold', SERVICE, ...word])).toMatchObject({ code: 0 });
    const v3 = await fleet().publishImage('v3');
    const v1 = await fleet().publishImage('v1');
    const rollout = await fleet().release({
      image: `${fleet().repository}:v1`,
      allowDowngrade: true,
      policy: { stages: [100] },
    });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(v1, others);
    await expectOn(v3, [held]);
    expect(await giveWord(fleet(), { action: 'unhold', nodes: [held.name] })).toMatchObject({
      name: 'control-applied',
    });
    await expectOn(v1);
  });

  it('B14: after a halt without return those who are on it stay', async () => {
    const v1 = await fleet().publishImage('v1');
    expect(await runSwellCommand(fleet().server.url, ['halt', SERVICE, '--no-return'])).toMatchObject({
      code: 0,
    });
    const { line } = await untilEvent(fleet(), 'rollout-rested', fleet().log.events().at(-1)?.rollout ?? 0);
    expect(line).toMatch(/nobody is in the middle of it, and who is on it stays$/);
    await expectOn(v1);
    expect(await giveWord(fleet(), { action: 'retry' })).toMatchObject({ name: 'control-rejected' });
  });
});
