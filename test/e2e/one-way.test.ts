/**
 * A release that cannot be undone, on real Docker (B19): the node that is not well on it holds, whatever kills its agent and
 * whoever halts it, until a newer release comes.
 */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { beforeAll, expect, it } from 'vitest';
import type { FleetNode } from '../fleet/fleet.ts';
import { expectOn, fleetOfThisFile, givePolicy, giveWord, QUICK } from '../fleet/scenario.ts';
import { firstToSay, slotHolders, untilEvent, untilReport, untilSo } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';
import { freePorts } from '../support/ports.ts';

describeWithDocker('a release that cannot be undone', () => {
  const fleet = fleetOfThisFile({ regions: { a: 2, b: 1 } });
  const ports = new Map<FleetNode, number>();

  beforeAll(async () => {
    await givePolicy(fleet(), { ...QUICK, stages: [100], failureBudget: { max: 5 } });
    const free = await freePorts(fleet().nodes.length);
    for (const [index, node] of fleet().nodes.entries()) {
      await fleet().agentOf(node).stop();
      ports.set(node, free[index] ?? 0);
      startAgent(node);
    }
    for (const node of fleet().nodes) await fleet().untilPresent(node);
  });

  it('leaves a node that is not well where it is, and a newer one heals it', async () => {
    const sick = await fleet().publishImage('v2', 'sick');
    const policy = { health: { healthyDeadline: '2s' } };
    const rollout = await fleet().release({
      image: `${fleet().repository}:v2`,
      irreversible: true,
      policy,
    });
    const node = await firstToSay(fleet(), 'unhealthy', rollout);
    await expectHeld(node, sick);

    // Whoever starts next finds it, and undoes nothing.
    await fleet().agentOf(node).kill();
    startAgent(node);
    await untilSo(fleet(), `${node.name} to be out`, async () => (await rotation(node)) === 503);
    await expectHeld(node, sick);

    expect(await giveWord(fleet(), { action: 'halt' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectHeld(node, sick);
    expect(slotHolders(fleet())).toContainEqual(expect.objectContaining({ node: node.name }));
    expect(await giveWord(fleet(), { action: 'undo' })).toMatchObject({ name: 'control-rejected' });

    const fix = await fleet().publishImage('v3');
    const next = await fleet().release({ image: `${fleet().repository}:v3` });
    await untilReport(fleet(), node, 'failed', rollout);
    await untilReport(fleet(), node, 'healthy', next);
    await untilEvent(fleet(), 'rollout-settled', next);
    await expectOn(fleet(), fix);
    for (const one of fleet().nodes) expect(await rotation(one), `rotation of ${one.name}`).toBe(200);
  });

  function startAgent(node: FleetNode): void {
    fleet().startAgent(node, { SWELL_STATUS_PORT: String(ports.get(node)) });
  }

  /** The new container runs, not well; the old one is there, stopped, and no restart of dockerd starts it. */
  async function expectHeld(node: FleetNode, sick: PinnedImage): Promise<void> {
    const aside = `${node.container}.swell-prev`;
    expect(await fleet().containersOn(node)).toEqual(
      expect.arrayContaining([
        { name: node.container, running: true, digests: expect.arrayContaining([sick.digest]) },
        { name: aside, running: false, digests: expect.not.arrayContaining([sick.digest]) },
      ]),
    );
    const policyOf = async (name: string) =>
      (await fleet().docker.getContainer(name).inspect()).HostConfig.RestartPolicy?.Name;
    expect([await policyOf(aside), await policyOf(node.container)]).toEqual(['no', 'unless-stopped']);
    expect(await rotation(node)).toBe(503);
  }

  async function rotation(node: FleetNode): Promise<number | undefined> {
    try {
      return (await fetch(`http://127.0.0.1:${ports.get(node)}/rotation/web`)).status;
    } catch {
      return undefined;
    }
  }
});
