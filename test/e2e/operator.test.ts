/** The operator's word on his own node, and the node's answer to whoever asks why it waits. */

import { rm, writeFile } from 'node:fs/promises';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { expect, it } from 'vitest';
import { type FleetNode, policyFileOf } from '../fleet/fleet.ts';
import { expectOn, fleetOfThisFile } from '../fleet/scenario.ts';
import { nodeNamed, untilEvent, untilReport } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';
import { natsOptions, runTool } from '../support/tools.ts';

describeWithDocker("the operator's word", () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 3 } });

  async function roll(tag: string): Promise<{ readonly image: PinnedImage; readonly rollout: number }> {
    const image = await fleet().publishImage(tag);
    const rollout = await fleet().release({ image: `${fleet().repository}:${tag}` });
    return { image, rollout };
  }

  const others = (node: FleetNode): readonly FleetNode[] => fleet().nodes.filter((one) => one !== node);

  async function explain(node: FleetNode): Promise<unknown> {
    const args = ['request', '--raw', `swell.ask.${node.region}.${node.name}`, ''];
    return JSON.parse(await runTool('nats', [...natsOptions(fleet().server), ...args]));
  }

  it('in the policy file: a frozen node refuses, says why to whoever asks, and follows once it may', async () => {
    const node = nodeNamed(fleet(), 'eu-west-1');
    await writeFile(policyFileOf(node), JSON.stringify({ services: { web: { freeze: true } } }));
    const first = await roll('v2');
    const refused = await untilReport(fleet(), node, 'refused', first.rollout);
    expect(refused.reason).toBe('its operator has frozen it');
    await untilEvent(fleet(), 'rollout-settled', first.rollout);
    await expectOn(fleet(), first.image, others(node));
    expect(await explain(node)).toEqual({
      region: node.region,
      node: node.name,
      services: { web: 'its operator has frozen it' },
    });
    await rm(policyFileOf(node));
    const second = await roll('v3');
    await untilReport(fleet(), node, 'healthy', second.rollout);
    await untilEvent(fleet(), 'rollout-settled', second.rollout);
    await expectOn(fleet(), second.image);
    expect(await explain(node)).toMatchObject({ services: { web: 'it is on v3, as it ought to be' } });
  });

  it('that is not understood lets nothing start, and names the file and the field', async () => {
    const node = nodeNamed(fleet(), 'eu-west-2');
    await writeFile(policyFileOf(node), '{"services":{"web":{"windows":["at night"]}}}');
    const { rollout } = await roll('v4');
    const { reason } = await untilReport(fleet(), node, 'refused', rollout);
    expect(reason).toMatch(
      /policy is not understood: .*policy\.json: services\.web\.windows\[0\]: must be a window/,
    );
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await rm(policyFileOf(node));
  });
});
