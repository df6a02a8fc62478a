import { expect, it } from 'vitest';
import type { Dockerd } from '../dockerd.ts';
import type { InspectedContainer } from '../inspected.ts';
import { readPart } from '../marks.ts';
import { LAST_GOOD_IMAGE_LABEL, memoLabels } from '../memo.ts';
import { readMembers } from './members.ts';
import { perform } from './swap.ts';

function container(id: string, name: string, labels: Readonly<Record<string, string>>): InspectedContainer {
  return {
    Id: id,
    Name: `/${name}`,
    Image: 'plain',
    State: { Status: 'running', Running: true, StartedAt: '2026-11-20T12:00:00Z' },
    Config: { Labels: labels },
    HostConfig: { RestartPolicy: { Name: 'always' } },
    NetworkSettings: {},
  };
}

/** A container that went from its part's image of a unit to a plain image, with the one that it takes the place of. */
function gone(part: string): readonly InspectedContainer[] {
  const labels = { 'com.docker.compose.service': part, [LAST_GOOD_IMAGE_LABEL]: `good of ${part}` };
  const policy = { Name: 'always' };
  const memo = { attempt: '7.update.1', replaces: `old-${part}`, policy, reference: 'plain' } as const;
  return [
    container(`old-${part}`, `${part}.swell-old`, labels),
    container(`new-${part}`, part, { ...labels, ...memoLabels({ ...memo, oldState: 'running' }) }),
  ];
}

/** The names that are given to last good images while a swap of these containers is committed. */
async function kept(...containers: readonly InspectedContainer[]): Promise<ReadonlyMap<string, string>> {
  const found = readMembers('shop', containers.map(readPart), []);
  if (found.kind !== 'swap') throw new Error(found.kind);
  const names = new Map<string, string>();
  const dockerd = {
    container: async (id: string) => containers.find(({ Id }) => Id === id),
    tag: async (image: string, repository: string, tag: string) =>
      void names.set(`${repository}:${tag}`, image),
  };
  const run = {
    dockerd: dockerd as unknown as Dockerd,
    place: 'shop',
    onStep: () => {},
    look: async () => found,
  };
  for (const [{ fresh }] of found.members)
    if (fresh !== undefined) await perform(run, { step: 'keep-last-good', fresh }, found);
  return names;
}

it('keeps the last good image of each of several parts, though all of them run one image now', async () => {
  const names = await kept(...gone('web'), ...gone('worker'));
  expect([...names.values()].toSorted()).toEqual(['good of web', 'good of worker']);
});

it('keeps that of the only one under the name of its service', async () => {
  expect(await kept(...gone('web'))).toEqual(new Map([['swell.local/last-good:shop', 'good of web']]));
});
