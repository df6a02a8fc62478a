/** The programs as their images have them: one file each, without what they do not use, with their images' flags. */

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import type { Program } from '../../scripts/image/bundle.ts';
import { layOutProgram } from '../../scripts/image/root-folder.ts';
import { type Bundled, Fleet } from '../fleet/fleet.ts';
import { endsInOrder, expectOn, givePolicy, QUICK } from '../fleet/scenario.ts';
import { untilEvent } from '../fleet/watching.ts';
import { nodeInImage } from '../support/agent-image.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('the bundles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swell-bundles-'));
  afterAll(() => rm(folder, { recursive: true }));

  const bundled = async (program: Program): Promise<Bundled> => ({
    entry: await layOutProgram(program, join(folder, program)),
    ...(await nodeInImage(program)),
  });

  it('bring a release to a node', async () => {
    const bundles = { agent: await bundled('agent'), coordinator: await bundled('coordinator') };
    await using fleet = await Fleet.start({ regions: { 'eu-west': 1 }, bundles });
    await givePolicy(fleet, QUICK);
    const v2 = await fleet.publishImage('v2');
    const rollout = await fleet.release({ image: `${fleet.repository}:v2` });
    await untilEvent(fleet, 'rollout-settled', rollout);
    await expectOn(fleet, v2);
    await endsInOrder(fleet);
  });
});
