/**
 * Stacks as Compose makes them: after a service with tenants, or with replicas, was updated or returned, Compose finds
 * nothing to do (B5).
 */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ComposeProject } from '../fidelity/compose-project.ts';
import { type Ground, openGround, returnOrder, swap, updateOrder } from '../fidelity/ground.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('Compose and a swap of several containers', () => {
  let ground: Ground;
  let project: ComposeProject;

  beforeAll(async () => {
    ground = await openGround();
    const [hub, web] = [ground.reference(ground.place(0)), ground.reference(ground.place(1))];
    const neighbour = `${ground.v1.repository}:${ground.v1.tag}`;
    const services = {
      hub: { image: hub, restart: 'always' },
      late: { image: neighbour, network_mode: 'service:hub', pid: 'service:ship', depends_on: ['ship'] },
      ship: { image: neighbour, network_mode: 'service:hub', volumes: ['/own'], restart: 'unless-stopped' },
      web: { image: web, deploy: { replicas: 3 } },
    };
    const needsWeb = (restart: boolean) => ({ web: { condition: 'service_started', restart } });
    project = await ComposeProject.write(ground, `swell-stacks-${ground.run}`, services, {
      proxy: { image: neighbour, depends_on: needsWeb(true) },
      reader: { image: neighbour, depends_on: needsWeb(false) },
    });
  });

  beforeEach(async () => {
    await ground.point(ground.place(0), ground.v1);
    await ground.point(ground.place(1), ground.v1);
    await project.up();
  });

  afterEach(async () => {
    await project.clear();
  });

  afterAll(async () => {
    await ground[Symbol.asyncDispose]();
  });

  test('leaves replicas alone once they are updated, and once they are returned', async () => {
    const before = await containers();
    await swap(ground.engine, updateOrder('web', ground.v2));
    const updated = await containers();
    expect(updated.map(({ name, up }) => ({ name, up }))).toEqual(
      before.map(({ name, up }) => ({ name, up })),
    );
    expect(changed(before, updated)).toEqual(['web', 'web', 'web']);
    await project.up();
    expect(await containers()).toEqual(updated);

    await swap(ground.engine, returnOrder('web'));
    const returned = await containers();
    await project.up();
    expect(await containers()).toEqual(returned);
    expect(returned.map(({ image }) => image)).toEqual(before.map(({ image }) => image));
  });

  test('restarts those that Compose would restart with it, and nobody else', async () => {
    const before = await starts();
    await swap(ground.engine, updateOrder('web', ground.v2));
    const after = await starts();
    const restarted = [...after].filter(([id, at]) => before.has(id) && before.get(id) !== at);
    expect(restarted.map(([id]) => id)).toEqual([await idOf('proxy')]);
    await ground.engine.commitSwap('web');
    expect(await starts()).toEqual(after);
  });

  // Compose writes the id of the container into the hash of whoever lives in its namespaces: nobody else can know that.
  test('leaves a service alone that others live in, and makes those anew once more', async () => {
    const before = await containers();
    await swap(ground.engine, updateOrder('hub', ground.v2));
    const updated = await containers();
    expect(changed(before, updated)).toEqual(['hub', 'late', 'ship']);
    expect(updated.every(({ up }) => up)).toBe(true);
    await project.up();
    const settled = await containers();
    expect(changed(updated, settled)).toEqual(['late', 'ship']);
    await project.up();
    expect(await containers()).toEqual(settled);

    await swap(ground.engine, returnOrder('hub'));
    const returned = await containers();
    expect(changed(settled, returned)).toEqual(['hub', 'late', 'ship']);
    await project.up();
    expect(changed(returned, await containers())).toEqual(['late', 'ship']);
    expect(returned.map(({ image }) => image)).toEqual(before.map(({ image }) => image));
  });

  /** When each container was started last, by its id. */
  async function starts(): Promise<ReadonlyMap<string, string>> {
    const all = await Promise.all((await containers()).map(({ id }) => ground.inspect(id)));
    return new Map(all.map(({ Id, State }) => [Id, State.StartedAt]));
  }

  async function idOf(service: string): Promise<string | undefined> {
    return (await containers()).find((one) => one.service === service)?.id;
  }

  async function containers() {
    const label = [`com.docker.compose.project=${project.name}`];
    const found = await ground.docker.listContainers({ all: true, filters: { label } });
    const all = await Promise.all(found.map(({ Id }) => ground.inspect(Id)));
    const shown = all.map(({ Id, Name, Image, State, Config }) => ({
      id: Id,
      name: Name,
      service: Config.Labels['com.docker.compose.service'] ?? '',
      image: Image,
      up: State.Running,
    }));
    return shown.sort((a, b) => a.name.localeCompare(b.name));
  }

  function changed(
    before: Awaited<ReturnType<typeof containers>>,
    after: Awaited<ReturnType<typeof containers>>,
  ): readonly string[] {
    const known = new Set(before.map(({ id }) => id));
    return after.filter(({ id }) => !known.has(id)).map(({ service }) => service);
  }
});
