import { describe, expect, it } from 'vitest';
import type { InspectedContainer } from '../inspected.ts';
import type { WrittenFile } from './archive.ts';
import { handedOver, isByCompose, suspects, writtenFiles } from './written.ts';

const COMPOSED: InspectedContainer = {
  Id: 'a'.repeat(64),
  Name: '/shop-web-1',
  Image: 'sha256:x',
  Created: '2026-05-01T10:00:00.123456789Z',
  State: { Status: 'running', Running: true },
  Config: { Labels: { 'com.docker.compose.project': 'shop' } },
  HostConfig: {},
  NetworkSettings: {},
  Mounts: [{ Type: 'volume', Destination: '/data' }],
};

const added = (Path: string) => ({ Path, Kind: 1 });

describe('what Compose may have written', () => {
  it('are the files outside the mounts, the shallowest first', () => {
    const changes = [
      { Path: '/etc', Kind: 0 },
      { Path: '/etc/app', Kind: 0 },
      { Path: '/etc/app/overwritten', Kind: 0 },
      { Path: '/gone', Kind: 2 },
      added('/data'),
      added('/data/file'),
      added('/inline'),
    ];
    expect(suspects(COMPOSED, changes)).toEqual(['/inline', '/etc/app/overwritten']);
  });

  it('is nothing where Compose did not make the container, and nobody asks for its changes', async () => {
    const nobody = (): never => {
      throw new Error('asked');
    };
    const dockerd = { changes: nobody, pathStat: nobody, readFile: nobody };
    expect(await writtenFiles(dockerd, { ...COMPOSED, Config: {} })).toEqual([]);
    await expect(writtenFiles(dockerd, COMPOSED)).rejects.toThrow('asked');
  });
});

describe('a file is by Compose', () => {
  const FOLDER = 2 ** 31;
  it.each([
    ['written in whole seconds at its creation', '/inline', '2026-05-01T10:00:01Z', 0o444, true],
    ['written by the program, with a fraction of a second', '/pid', '2026-05-01T10:00:01.5Z', 0o644, false],
    ['unpacked long after', '/unpacked', '2026-05-01T11:00:00Z', 0o644, false],
    ['unpacked with the time of its making', '/unpacked', '2020-01-01T00:00:00Z', 0o644, false],
    ['below /run/secrets, whenever', '/run/secrets/token', '2026-06-01T10:00:01.5Z', 0o400, true],
    ['a folder', '/run/secrets/folder', '2026-05-01T10:00:01Z', FOLDER + 0o755, false],
  ])('%s', (_, path, mtime, mode, expected) => {
    expect(isByCompose(COMPOSED, path, { size: 1, mode, mtime })).toBe(expected);
  });

  it('not if it is larger than anybody writes into a Compose file', () => {
    const stat = { size: 2 ** 30, mode: 0o444, mtime: '2026-05-01T10:00:01Z' };
    expect(isByCompose(COMPOSED, '/inline', stat)).toBe(false);
  });
});

describe('the owner of a file', () => {
  const file = (uid: number, gid: number): WrittenFile => ({
    path: '/inline',
    mode: 0o400,
    uid,
    gid,
    bytes: Buffer.from(''),
  });

  it.each<[string, WrittenFile, string, string, [number, number]]>([
    ['stays where it is root', file(0, 0), '', '65534', [0, 0]],
    ['stays where somebody named him', file(7, 8), '1000', '65534', [7, 8]],
    ['is the container’s user, whoever that is now', file(1000, 0), '1000', '65534:5', [65_534, 5]],
    ['stays where the new user is a name', file(1000, 0), '1000', 'web', [1000, 0]],
  ])('%s', (_, given, before, after, [uid, gid]) => {
    expect(handedOver(given, before, after)).toEqual({ ...given, uid, gid });
  });
});
