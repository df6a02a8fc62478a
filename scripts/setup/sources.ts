import { createHash } from 'node:crypto';
import { constants, existsSync, globSync } from 'node:fs';
import { access, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import Docker from 'dockerode';
import { fileFromTar, fileFromTarGz, fileFromZip } from './archive.ts';
import { fileFromPackage, hasApt, unpackPackage } from './debian.ts';
import { findDocker } from './docker.ts';
import { answerTo, download } from './download.ts';
import { goCommand } from './go-toolchain.ts';
import { cache, root } from './places.ts';
import { runCommand } from './run-command.ts';

/** A place that a tool may come from. */
export type Source = {
  readonly name: string;
  /** Puts the binary at `target`, or throws with the reason why it cannot. */
  readonly fetch: (target: string, say: (line: string) => void) => Promise<void>;
};

const buildTimeoutMs = 900_000;

/** An executable on PATH under one of these names. It stays where it is; the cache points to it. */
export function onPath(names: readonly string[]): Source {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return { name: 'PATH', fetch: (target) => linkToFirst(folders, names, target) };
}

/** An executable of that name in one of these folders; the cache points to it. */
export function inFolders(name: string, file: string, folders: readonly string[]): Source {
  return { name, fetch: (target) => linkToFirst(folders, [file], target) };
}

async function linkToFirst(
  folders: readonly string[],
  names: readonly string[],
  target: string,
): Promise<void> {
  for (const path of folders.flatMap((folder) => names.map((name) => join(folder, name)))) {
    if (await isExecutable(path)) {
      await symlink(path, target);
      return;
    }
  }
  throw new Error('not there');
}

/** A file copied out of an image. The containers' Linux must be ours: on other systems its binaries do not run. */
export function inImage(image: string, path: string): Source {
  return {
    name: `image ${image}`,
    fetch: async (target) => {
      if (process.platform !== 'linux') {
        throw new Error('its binaries run on Linux only');
      }
      if ((await findDocker()) === undefined) {
        throw new Error('no Docker daemon answers');
      }
      const docker = new Docker();
      await pull(docker, image);
      const container = await docker.createContainer({ Image: image });
      try {
        const archive = (await container.getArchive({ path })) as Readable;
        const file = await fileFromTar(archive, path.slice(path.lastIndexOf('/') + 1));
        await writeFile(target, file, { mode: 0o755 });
      } finally {
        await container.remove({ force: true });
      }
    },
  };
}

/** A file out of a release's archive, or the release's file itself, whose checksum must be the pinned one. Keys are `platform-arch` as Node names them. */
export function inRelease(
  version: string,
  file: string,
  archives: Readonly<Record<string, { readonly url: string; readonly sha256: string }>>,
): Source {
  return {
    name: `release ${version}`,
    fetch: async (target) => {
      const archive = archives[`${process.platform}-${process.arch}`];
      if (archive === undefined) {
        throw new Error(`no checksum is pinned for ${process.platform}-${process.arch}`);
      }
      const bytes = await download(archive.url);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      if (sha256 !== archive.sha256) {
        throw new Error(`${archive.url} has the checksum ${sha256}, not ${archive.sha256}`);
      }
      await writeFile(target, await unpacked(archive.url, bytes, file), { mode: 0o755 });
    },
  };
}

async function unpacked(url: string, bytes: Buffer, file: string): Promise<Buffer> {
  if (url.endsWith('.zip')) return fileFromZip(bytes, file);
  return url.endsWith('gz') ? fileFromTarGz(bytes, file) : bytes;
}

/** A build from source: version and checksums of everything in it stand in go.mod and go.sum of that folder. */
export function builtWithGo(module: string, goPackage: string): Source {
  return {
    name: 'built with Go',
    fetch: async (target, say) => {
      const go = await goCommand(say);
      say(`building ${goPackage} with Go; this takes a minute or two`);
      await runCommand(go, ['build', '-trimpath', '-o', target, goPackage], {
        cwd: join(root, 'scripts', 'setup', module),
        env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' },
        timeoutMs: buildTimeoutMs,
      });
    },
  };
}

/**
 * A file out of a package of Debian's kind.
 *
 * @param suite of Debian's own archive, where this machine's own release has it too old or not at all
 */
export function inDebianPackage(name: string, paths: readonly string[], suite?: string): Source {
  return {
    name: `Debian package ${name}${suite === undefined ? '' : ` of ${suite}`}`,
    fetch: async (target) => {
      if (!hasApt() || process.platform !== 'linux') {
        throw new Error('no apt-get here');
      }
      await fileFromPackage(name, paths, target, suite);
    },
  };
}

/** A whole package of Debian's kind, unpacked into the cache: a script starts it with its own libraries. */
export function unpackedDebianPackage(name: string, path: string): Source {
  return {
    name: `Debian package ${name}, unpacked`,
    fetch: async (target) => {
      if (!hasApt() || process.platform !== 'linux') {
        throw new Error('no apt-get here');
      }
      const folder = join(cache, 'unpacked', name);
      await unpackPackage(name, folder);
      const libraries = globSync('usr/lib/*-linux-gnu', { cwd: folder }).map((found) => join(folder, found));
      const script = `#!/bin/sh\nLD_LIBRARY_PATH='${libraries.join(':')}' exec '${join(folder, path)}' "$@"\n`;
      await writeFile(target, script, { mode: 0o755 });
    },
  };
}

async function pull(docker: Docker, image: string): Promise<void> {
  if (await succeeds(docker.getImage(image).inspect())) {
    return;
  }
  const progress = await answerTo((abortSignal) => docker.pull(image, { abortSignal }));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
  await promise;
}

async function isExecutable(path: string): Promise<boolean> {
  return existsSync(path) && (await succeeds(access(path, constants.X_OK)));
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
