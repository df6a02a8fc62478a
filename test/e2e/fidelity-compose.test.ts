/**
 * Whatever Compose can make: updated, it is what Compose would have made of the new image; returned, it is what it was.
 * And Compose, asked to bring the project up, has nothing to do, after the one as after the other.
 */

import type Docker from 'dockerode';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ComposeProject } from '../fidelity/compose-project.ts';
import { speaks } from '../fidelity/configuration.ts';
import { type Ground, openGround, returnOrder, swap, updateOrder } from '../fidelity/ground.ts';
import { madeByCompose } from '../fidelity/made-by-compose.ts';
import { differing, seen } from '../fidelity/seen.ts';
import { contentOf } from '../fidelity/written-file.ts';
import { testDocker } from '../support/docker.ts';
import { describeWithDocker, noDocker } from '../support/needs.ts';

/** Compose makes the whole project twice, and a busy machine is slow at that. */
const PATIENCE_MS = 480_000;
const api = noDocker === undefined ? (await testDocker().version()).ApiVersion : '1.99';

describeWithDocker('made by Compose', () => {
  const services = madeByCompose
    .map((configuration, number) => ({
      ...configuration,
      number,
      service: `s${number}`,
      asked: configuration.service,
    }))
    .filter(({ since }) => speaks(api, since));
  let ground: Ground;
  let project: ComposeProject;
  /** As Compose made them, of the new image and of the old one. */
  let ofV2: ReadonlyMap<string, Shown>;
  let ofV1: ReadonlyMap<string, Shown>;

  beforeAll(async () => {
    ground = await openGround();
    const lender = {
      image: `${ground.v1.repository}:${ground.v1.tag}`,
      ipc: 'shareable',
      volumes: ['/lent'],
    };
    project = await ComposeProject.write(ground, `swell-fid-${ground.run}`, {
      lender,
      ...Object.fromEntries(
        services.map(({ number, service, asked }) => {
          const place = ground.place(number);
          return [service, { image: ground.reference(place), ...asked?.(place) }];
        }),
      ),
    });
    const made = async (image: Ground['v1']): Promise<ReadonlyMap<string, Shown>> => {
      for (const { number } of services) await ground.point(ground.place(number), image);
      await project.up();
      return showAll();
    };
    ofV2 = await made(ground.v2);
    await project.run('rm', '--stop', '--force', '--volumes', ...services.map(({ service }) => service));
    ofV1 = await made(ground.v1);
  }, PATIENCE_MS);

  afterAll(async () => {
    await ground[Symbol.asyncDispose]();
  }, PATIENCE_MS);

  test.concurrent.each(services)('$name, updated', async ({ service, written }) => {
    await swap(ground.engine, updateOrder(service, ground.v2));
    expect(differing(fields(ofV2, service), (await show(service)).fields)).toEqual([]);
    await expectWritten(service, written);
  });

  test('once updated, are left alone by `docker compose up`', async () => {
    expect(await idsAround(() => project.up())).toEqual([]);
  });

  test.concurrent.each(services)('$name, returned', async ({ service, written }) => {
    await swap(ground.engine, returnOrder(service));
    expect(differing(fields(ofV1, service), (await show(service)).fields)).toEqual([]);
    await expectWritten(service, written);
  });

  test('once returned, are left alone by `docker compose up`', async () => {
    expect(await idsAround(() => project.up())).toEqual([]);
  });

  interface Shown {
    readonly id: string;
    readonly fields: ReturnType<typeof seen>;
    readonly files: ReadonlyMap<string, string>;
  }

  function fields(made: ReadonlyMap<string, Shown>, service: string): ReturnType<typeof seen> {
    const found = made.get(service);
    if (found === undefined) throw new Error(`Compose made no ${service}`);
    return found.fields;
  }

  /** The same bytes, mode and owner as Compose gave them. */
  async function expectWritten(
    service: string,
    written: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { files } = await show(service);
    // That Compose wrote what it was asked for is its part of the oracle.
    expect([...files].map(([path, file]) => [path, file.slice(file.indexOf(':') + 1)])).toEqual(
      Object.entries(written),
    );
    expect(files).toEqual(ofV1.get(service)?.files);
  }

  /** The services whose containers another ones stand for, after somebody did something. */
  async function idsAround(act: () => Promise<void>): Promise<readonly string[]> {
    const before = await showAll();
    await act();
    const after = await showAll();
    return [...new Set([...before.keys(), ...after.keys()])].filter(
      (service) => before.get(service)?.id !== after.get(service)?.id,
    );
  }

  async function showAll(): Promise<ReadonlyMap<string, Shown>> {
    const all = await Promise.all(
      services.map(async ({ service }) => [service, await show(service)] as const),
    );
    return new Map(all);
  }

  async function show(service: string): Promise<Shown> {
    const container = await only(service);
    const { written, since } = services.find((one) => one.service === service) ?? {};
    const inspected = await ground.inspect(container.id);
    const files = Object.keys(written ?? {}).map(
      async (path) => [path, await contentOf(container, path)] as const,
    );
    return {
      id: inspected.Id,
      fields: seen(inspected, { macs: since === '1.44' }),
      files: new Map(await Promise.all(files)),
    };
  }

  async function only(service: string): Promise<Docker.Container> {
    const label = [`com.docker.compose.project=${project.name}`, `com.docker.compose.service=${service}`];
    const found = await ground.docker.listContainers({ all: true, filters: { label } });
    const [one, ...others] = found;
    if (one === undefined || others.length > 0) throw new Error(`${found.length} containers of ${service}`);
    return ground.docker.getContainer(one.Id);
  }
});
