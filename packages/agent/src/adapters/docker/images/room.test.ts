import { expect, it } from 'vitest';
import { Room } from './room.ts';

const GIB = 1_024 ** 3;
const downloading = (id: string, total: number) => ({ status: 'Downloading', id, progressDetail: { total } });

it('is there until the layers that are told do not fit beside the reserve, unpacked', () => {
  const room = new Room({ freeBytes: 10 * GIB, totalBytes: 100 * GIB }, { bytes: 2 * GIB });
  room.tell(downloading('a', GIB));
  room.tell(downloading('a', GIB));
  room.tell(downloading('b', GIB));
  expect(room.shortage).toBeUndefined();
  room.tell(downloading('c', GIB));
  expect(room.shortage).toBe('10 GiB free, 1 GiB would be left, 2 GiB are reserved');
});

it('is not there where less than the reserve is free already, were it a share of the disk', () => {
  const disk = { freeBytes: 9 * GIB, totalBytes: 100 * GIB };
  expect(new Room(disk, { share: 0.1 }).shortage).toBe(
    '9 GiB free, 9 GiB would be left, 10 GiB are reserved',
  );
  expect(new Room(disk, { share: 0.05 }).shortage).toBeUndefined();
  expect(new Room(disk, { bytes: 0 }).shortage).toBeUndefined();
});

it('is not asked of layers that are here, and of words that tell no size', () => {
  const room = new Room({ freeBytes: GIB, totalBytes: GIB }, { bytes: GIB });
  for (const told of [
    { status: 'Already exists', id: 'a', progressDetail: {} },
    { status: 'Extracting', id: 'a', progressDetail: { total: GIB } },
    { status: 'Downloading', id: 'a', progressDetail: { total: 'much' } },
    { status: 'Downloading', id: 'a', progressDetail: null },
    { status: 'Downloading', progressDetail: { total: GIB } },
    {},
  ])
    room.tell(told);
  expect(room.shortage).toBeUndefined();
});
