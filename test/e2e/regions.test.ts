/** Regions in order, and nodes that cannot follow: they say why, and nobody waits for them. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { expect, it } from 'vitest';
import type { FleetNode } from '../fleet/fleet.ts';
import { expectOn, fleetOfThisFile, givePolicy, QUICK } from '../fleet/scenario.ts';
import { nodeNamed, untilEvent, untilReport, untilSo } from '../fleet/watching.ts';
import { TEST_LABEL } from '../support/docker.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('regions and their nodes', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 2, 'us-east': 2 } });
  let good: PinnedImage;

  it('in order: the second group begins after the first has ended', async () => {
    await givePolicy(fleet(), { ...QUICK, regions: [['eu-west'], ['us-east']] });
    const v2 = await fleet().publishImage('v2');
    const rollout = await fleet().release({ image: `${fleet().repository}:v2` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    good = v2;
    await expectOn(fleet(), good);
    // Reports lie in one stream, and so stand in the log in the order in which they were said.
    const said = fleet()
      .log.reports(rollout)
      .filter(({ status }) => status === 'updating' || status === 'healthy');
    const lastOfFirst = said.findLastIndex(({ region }) => region === 'eu-west');
    const firstOfSecond = said.findIndex(({ region }) => region === 'us-east');
    expect(said[lastOfFirst]).toMatchObject({ status: 'healthy' });
    expect(said[firstOfSecond]).toMatchObject({ status: 'updating' });
    expect(lastOfFirst).toBeLessThan(firstOfSecond);
    await givePolicy(fleet(), QUICK);
  });

  it('a node whose container cannot be replaced refuses, says why, and stalls nobody', async () => {
    const node = nodeNamed(fleet(), 'eu-west-1');
    await replaceContainer(node, { AutoRemove: true });
    const v3 = await fleet().publishImage('v3');
    const rollout = await fleet().release({ image: `${fleet().repository}:v3` });
    expect((await untilReport(fleet(), node, 'refused', rollout)).reason).toMatch(/was started with --rm/);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v3, others(node));
    await expectOn(fleet(), good, [node]);
    expect(statuses(node, rollout)).not.toContain('updating');
    // Its operator mends it, and it follows by itself.
    await replaceContainer(node);
    await untilReport(fleet(), node, 'healthy', rollout);
    good = v3;
    await expectOn(fleet(), good);
  });

  it('a container that turns out at the last moment not to be carried is left alone, with the reason, and stalls nobody', async () => {
    const node = nodeNamed(fleet(), 'eu-west-1');
    const tenant = await fleet().docker.createContainer({
      Image: `${fleet().repository}:v2`,
      Labels: { [TEST_LABEL]: fleet().id },
      Cmd: ['sleep', '3600'],
      HostConfig: { NetworkMode: `container:${node.container}` },
    });
    await tenant.start();
    // It would have to be made anew with the node's container, and would not be what it was.
    await tenant.pause();
    const v4 = await fleet().publishImage('v4');
    const rollout = await fleet().release({ image: `${fleet().repository}:v4` });
    const refused = await untilReport(fleet(), node, 'refused', rollout);
    expect(refused.reason).toMatch(/which lives in its namespaces, is paused/);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v4, others(node));
    await expectOn(fleet(), good, [node]);
    expect(statuses(node, rollout)).toEqual(['staged', 'updating', 'interrupted', 'refused']);
    await tenant.remove({ force: true });
    // The next release finds nothing in its way.
    const v5 = await fleet().publishImage('v5');
    const next = await fleet().release({ image: `${fleet().repository}:v5` });
    await untilEvent(fleet(), 'rollout-settled', next);
    await expectOn(fleet(), v5);
  });

  async function replaceContainer(node: FleetNode, host?: object): Promise<void> {
    await fleet().docker.getContainer(node.container).remove({ force: true });
    await untilSo(
      fleet(),
      `${node.name} to be empty`,
      async () => (await fleet().containersOn(node)).length === 0,
    );
    await fleet().runContainer(node, good.tag ?? '', host);
  }

  function others(node: FleetNode): readonly FleetNode[] {
    return fleet().nodes.filter((one) => one !== node);
  }

  function statuses(node: FleetNode, rollout: number): readonly NodeReport['status'][] {
    return fleet()
      .log.reports(rollout)
      .filter((report) => report.node === node.name)
      .map(({ status }) => status);
  }
});
