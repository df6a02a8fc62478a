/**
 * Whatever `docker run` can make: updated, it is what `docker run` would have made of the new image; returned, it is
 * what it was. Compared field by field, as Docker shows them.
 */

import { rm } from 'node:fs/promises';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliConfiguration, type Place, speaks } from '../fidelity/configuration.ts';
import {
  type Ground,
  openGround,
  returnOrder,
  SERVICE_LABEL,
  swap,
  updateOrder,
} from '../fidelity/ground.ts';
import { madeByCli } from '../fidelity/made-by-cli.ts';
import { differing, seen } from '../fidelity/seen.ts';
import { TEST_LABEL, testDocker } from '../support/docker.ts';
import { describeWithDocker, noDocker } from '../support/needs.ts';
import { runTool } from '../support/tools.ts';

/** Collected without Docker, all are named. */
const api = noDocker === undefined ? (await testDocker().version()).ApiVersion : '1.99';

describeWithDocker('made by the docker command', () => {
  let ground: Ground;

  beforeAll(async () => {
    ground = await openGround();
  });

  afterAll(async () => {
    await ground[Symbol.asyncDispose]();
  });

  const possible = madeByCli
    .map((configuration, number) => ({ ...configuration, number }))
    .filter(({ since }) => speaks(api, since));
  const isRefused = ({ refused }: CliConfiguration): boolean => refused !== undefined;

  test.concurrent.each(possible.filter(isRefused))('refused: $name', async (configuration) => {
    const place = ground.place(configuration.number);
    await make(ground, configuration, place, ground.v1);
    const before = await ground.docker.getContainer(place.name).inspect();
    await expect(swap(ground.engine, updateOrder(serviceOf(place), ground.v2))).rejects.toMatchObject({
      code: 'not-carried',
      message: expect.stringContaining(configuration.refused ?? ''),
    });
    expect(await ground.docker.getContainer(place.name).inspect()).toEqual(before);
  });

  test.concurrent.each(possible.filter((one) => !isRefused(one)))('$name', async (configuration) => {
    const place = ground.place(configuration.number);
    const service = serviceOf(place);
    const asked = { macs: configuration.options?.(place).join().includes('mac-address') === true };
    const show = async () => seen(await ground.inspect(place.name), asked);

    // The oracle: what the command itself makes of the new image.
    await make(ground, configuration, place, ground.v2);
    const expected = await show();
    await make(ground, configuration, place, ground.v1);
    const before = await show();
    await swap(ground.engine, updateOrder(service, ground.v2));
    const updated = differing(expected, await show());
    const { untold = [] } = configuration;
    expect(updated.filter((line) => !untold.some((field) => line.startsWith(`${field}: `)))).toEqual([]);
    expect(updated).toHaveLength(untold.length);

    await swap(ground.engine, returnOrder(service));
    expect(differing(before, await show())).toEqual([]);
    await remove(ground, place);
  });
});

function serviceOf({ number }: Place): string {
  return `s${number}`;
}

/** As somebody makes it from the command line, in place of what was there. */
async function make(
  ground: Ground,
  { options, command = [], connect }: CliConfiguration,
  place: Place,
  image: PinnedImage,
): Promise<void> {
  await remove(ground, place);
  await rm(`${place.folder}/${place.name}.id`, { force: true });
  await ground.point(place, image);
  const labels = { [TEST_LABEL]: ground.run, [SERVICE_LABEL]: serviceOf(place) };
  await runTool('docker', [
    'run',
    '-d',
    '--name',
    place.name,
    ...Object.entries(labels).flatMap(([label, value]) => ['-l', `${label}=${value}`]),
    ...(options?.(place) ?? []),
    ground.reference(place),
    ...command,
  ]);
  for (const [network, ...more] of connect?.(place) ?? []) {
    await runTool('docker', ['network', 'connect', ...more, network, place.name]);
  }
}

async function remove({ docker }: Ground, place: Place): Promise<void> {
  await docker
    .getContainer(place.name)
    .remove({ force: true, v: true })
    .catch((error: unknown) => {
      if (!(error instanceof Error && 'statusCode' in error && error.statusCode === 404)) throw error;
    });
}
