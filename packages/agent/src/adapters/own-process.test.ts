import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { containerIdIn, isAlive, ownProcessMark, startIn } from './own-process.ts';

const ID = 'c0ffee'.padEnd(64, '0');

describe('the container that a process runs in', () => {
  it('is known by the host name that Docker lays over its own', () => {
    const mounts = [
      '600 599 8:1 /docker/containers/deadbeef/mounts/shm /dev/shm rw - tmpfs shm rw',
      `601 599 8:1 /var/lib/docker/containers/${ID}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw`,
    ].join('\n');
    expect(containerIdIn(mounts, '0::/')).toBe(ID);
  });

  it('or by its cgroup, as each driver writes it', () => {
    expect(containerIdIn('', `12:cpu:/docker/${ID}\n`)).toBe(ID);
    expect(containerIdIn('', `0::/system.slice/docker-${ID}.scope`)).toBe(ID);
  });

  it('is none on the machine itself, whatever containers it has', () => {
    const mounts = `40 30 0:50 / /var/lib/docker/containers/${ID}/mounts/shm rw - tmpfs shm rw`;
    expect(containerIdIn(mounts, '0::/user.slice/user-0.slice/session-1.scope')).toBeUndefined();
  });
});

describe('the start of a process', () => {
  const fields = (state: string): string =>
    `7 (a) b (c) ${[state, ...Array.from({ length: 18 }, (_, index) => index), '4242', 'rest'].join(' ')}`;

  it('is told whatever its name', () => {
    expect(startIn(fields('S'))).toBe('4242');
  });

  it('is that of nobody once it has ended', () => {
    expect(startIn(fields('Z'))).toBeUndefined();
    expect(startIn('')).toBeUndefined();
  });
});

describe.skipIf(process.platform !== 'linux')('a process on Linux', () => {
  it('is alive as long as it runs, and no longer', async () => {
    const own = await ownProcessMark();
    expect(own).toMatchObject({ pid: process.pid });
    if (own === undefined) return;
    expect(await isAlive(own)).toBe(true);
    expect(await isAlive({ ...own, startedAt: '1' })).toBe(false);
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(await isAlive({ ...own, pid: child.pid ?? 0 })).toBe(false);
  });
});
