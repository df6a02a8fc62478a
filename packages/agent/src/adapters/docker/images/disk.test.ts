import { expect, it } from 'vitest';
import { containerIdIn } from '../../own-process.ts';
import { diskOfImages, isOverlay } from './disk.ts';

const ID = 'c'.repeat(64);
const OWN = 'd'.repeat(64);
const ROOT_DISK = { freeBytes: 1, totalBytes: 2 };
const OVERLAY_DISK = { freeBytes: 3, totalBytes: 4 };
const IN_CONTAINER = [
  '612 530 0:51 / / rw,relatime master:233 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A,upperdir=/u',
  `620 612 254:0 /var/lib/docker/containers/${OWN}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw`,
].join('\n');
const ON_HOST = '23 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n';

function look(there: readonly string[], mounts: string, containers: readonly string[] = [ID, OWN]) {
  const dockerd = {
    dataRoot: async () => '/var/lib/docker',
    list: async () => containers.map((id) => ({ id, labels: {}, imageId: 'i', isRunning: true })),
    container: async (id: string) =>
      containers.includes(id)
        ? ({ Id: id } as Awaited<ReturnType<Parameters<typeof diskOfImages>[0]['container']>>)
        : undefined,
  };
  return diskOfImages(dockerd, {
    isThere: async (path) => there.includes(path),
    measure: async (path) => (path === '/' ? OVERLAY_DISK : ROOT_DISK),
    mounts: async () => mounts,
  });
}

it('is that of the data root where this is seen, and a container of this dockerd in it', async () => {
  expect(await look([`/var/lib/docker/containers/${ID}`], ON_HOST)).toBe(ROOT_DISK);
});

it("is that under an agent's own container otherwise, if it is one of this dockerd", async () => {
  expect(await look([], IN_CONTAINER)).toBe(OVERLAY_DISK);
  expect(await look([], IN_CONTAINER, [ID])).toBeUndefined();
});

it('is unknown elsewhere, as with the dockerd of another machine', async () => {
  expect(await look([], ON_HOST)).toBeUndefined();
  expect(await look(['/var/lib/docker'], ON_HOST)).toBeUndefined();
  expect(await look([], IN_CONTAINER.replace(' - overlay ', ' - btrfs '))).toBeUndefined();
  expect(await look([], IN_CONTAINER, [])).toBeUndefined();
});

it('an own container is known by what Docker mounts into it', () => {
  expect(containerIdIn(IN_CONTAINER)).toBe(OWN);
  expect(containerIdIn(ON_HOST)).toBeUndefined();
  expect([isOverlay(IN_CONTAINER), isOverlay(ON_HOST)]).toEqual([true, false]);
});
