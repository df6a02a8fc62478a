/**
 * Units in a whole fleet (B18): on each node two parts of a stack roll as one, with real agents that are killed, and a halt in
 * the middle. What the engine does on its own is told in `compose-units.test.ts`.
 */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { unitDigest } from '@swell/shared/domain/unit.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DockerGate } from '../fleet/docker-gate.ts';
import type { FleetNode } from '../fleet/fleet.ts';
import { fleetOfThisFile, giveWord, QUICK } from '../fleet/scenario.ts';
import { patiently, untilEvent, untilReport, untilSo } from '../fleet/watching.ts';
import { type Behaviour, buildImage, TEST_LABEL } from '../support/docker.ts';
import { describeWithDocker } from '../support/needs.ts';

const SERVICE = 'shop';
/** By name, web would be first; Compose starts the worker before it. */
const PARTS = ['web', 'worker'] as const;
type PartOfShop = (typeof PARTS)[number];

describeWithDocker('a unit in a fleet', () => {
  const fleet = fleetOfThisFile({ regions: { a: 1, b: 1 } });
  const gates = new Map<FleetNode, DockerGate>();
  const images = new Map<string, PinnedImage>();
  /** The rollout that brought both parts to v2. */
  let first: number;

  beforeAll(async () => {
    await fleet().policy({ ...QUICK, stages: [100] }, SERVICE);
    for (const part of PARTS) for (const version of ['v1', 'v2', 'v3']) await publish(part, version);
    await publish('web', 'sick', 'sick');
    for (const node of fleet().nodes) {
      for (const part of PARTS) await run(node, part);
      await fleet().agentOf(node).stop();
      gates.set(node, await DockerGate.open());
      startAgent(node);
    }
    first = await release('v2', 'v2');
    await untilEvent(fleet(), 'rollout-settled', first);
  });

  afterAll(async () => {
    for (const gate of gates.values()) await gate[Symbol.asyncDispose]();
  });

  it('goes over everywhere, and every node reports one result for all of it', async () => {
    await expectOn('web v2, worker v2');
    const digest = unitDigest({ web: digestOf('web v2'), worker: digestOf('worker v2') });
    for (const node of fleet().nodes) {
      const report = await untilReport(fleet(), node, 'healthy', first);
      expect(report.running).toBe(digest);
    }
  });

  it('goes back as a whole where one part is not well', async () => {
    const rollout = await release('sick', 'v3', { health: { healthyDeadline: '2s' } });
    await untilEvent(fleet(), 'rollout-halted', rollout);
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn('web v2, worker v2');
  });

  it('is on one set of images where agents are killed between its parts', async () => {
    // The worker has gone over, and the web part is about to stop, or has just started.
    const [one, other] = fleet().nodes;
    const dying = [
      [one, { pattern: /^POST \/containers\/\w+\/stop/, when: 'before', passing: 1 }],
      [other, { pattern: /^POST \/containers\/\w+\/start/, when: 'after', passing: 1 }],
    ] as const;
    const held = dying.map(([node, moment]) => ({ node, hold: node && gates.get(node)?.hold(moment) }));
    const rollout = await release('v3', 'v3');
    for (const { node, hold } of held) {
      if (node === undefined || hold === undefined) throw new Error('there are two nodes, with gates');
      await patiently(fleet(), `${node.name} to be where it dies`, hold.arrived);
      await fleet().agentOf(node).kill();
      hold.release();
      startAgent(node);
    }
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn('web v3, worker v3');
  });

  it('goes back as a whole when it is halted in the middle', async () => {
    const [node] = fleet().nodes;
    const hold =
      node && gates.get(node)?.hold({ pattern: /^POST \/containers\/\w+\/stop/, when: 'before', passing: 1 });
    if (node === undefined || hold === undefined) throw new Error('there is a node, with a gate');
    const rollout = await release('v2', 'v3');
    await patiently(fleet(), `${node.name} to be in the middle`, hold.arrived);
    expect(await giveWord(fleet(), { action: 'halt' }, SERVICE)).toMatchObject({ name: 'control-applied' });
    hold.release();
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn('web v3, worker v3');
  });

  function startAgent(node: FleetNode): void {
    const { dockerHost = '' } = gates.get(node) ?? {};
    fleet().startAgent(node, { DOCKER_HOST: dockerHost });
  }

  function release(web: string, worker: string, policy: object = {}): Promise<number> {
    const of = (part: PartOfShop, version: string) => `${fleet().registry.host}/${part}:${version}`;
    const body = { images: { web: of('web', web), worker: of('worker', worker) }, policy };
    return fleet().release(body, SERVICE);
  }

  async function publish(part: PartOfShop, version: string, behaviour: Behaviour = 'well'): Promise<void> {
    const repository = `${fleet().registry.host}/${part}`;
    const built = await buildImage(fleet().docker, {
      repository,
      tag: version,
      version: `${part}-${version}`,
      behaviour,
      label: fleet().id,
    });
    images.set(`${part} ${version}`, built);
  }

  function digestOf(name: string): string {
    const found = images.get(name);
    if (found === undefined) throw new Error(`there is no image ${name}`);
    return found.digest;
  }

  /** As Compose would. */
  async function run(node: FleetNode, part: PartOfShop): Promise<void> {
    const { docker, id, registry } = fleet();
    const made = await docker.createContainer({
      name: `${id}-${node.name}-shop-${part}`,
      Image: `${registry.host}/${part}:v1`,
      Labels: {
        'swell.service': SERVICE,
        'swell.stack': `${id}-${node.name}`,
        [TEST_LABEL]: id,
        'com.docker.compose.service': part,
        ...(part === 'web' && { 'com.docker.compose.depends_on': 'worker:service_started:false' }),
      },
      HostConfig: { RestartPolicy: { Name: 'unless-stopped' } },
    });
    await made.start();
  }

  /** The engine's word: on each node one container of each part, running these images. */
  async function expectOn(wanted: string): Promise<void> {
    for (const node of fleet().nodes)
      await untilSo(fleet(), `${node.name} to run ${wanted}`, async () => (await running(node)) === wanted);
  }

  async function running({ name }: FleetNode): Promise<string> {
    const { docker, id } = fleet();
    const label = [`swell.stack=${id}-${name}`, `swell.service=${SERVICE}`];
    const found = await docker.listContainers({ all: true, filters: { label } });
    const shown = await Promise.all(
      found.map(async ({ ImageID, State }) => {
        const { RepoDigests } = await docker.getImage(ImageID).inspect();
        const known = [...images].find(([, { digest }]) => RepoDigests.some((one) => one.endsWith(digest)));
        return State === 'running' ? (known?.[0] ?? ImageID) : `${known?.[0]} (${State})`;
      }),
    );
    return shown.sort().join(', ');
  }
});
