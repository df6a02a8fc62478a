/** All that an image consists of: a program's bundle, Node, and the libraries that Node is linked with. No shell, no npm. */

import { chmod, copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { librariesOf } from '../setup/libraries.ts';
import { root } from '../setup/places.ts';
import { bundleProgram, type Program } from './bundle.ts';

/** Where the bundle and what it looks for beside itself are in the image. */
const HOME = 'swell';
const NODE = 'usr/local/bin/node';

/** What programs read at the places that they know from the repository. */
const READ: Readonly<Record<Program, readonly string[]>> = {
  agent: ['packages/shared/package.json'],
  coordinator: ['packages/shared/package.json', 'nats/streams'],
};

/** Lays out an image's files in a folder, with the Node that runs this. */
export async function layOutImage(program: Program, folder: string): Promise<void> {
  await layOutProgram(program, join(folder, HOME));
  await copyTo(process.execPath, join(folder, NODE));
  await chmod(join(folder, NODE), 0o755);
  for (const library of await librariesOf(process.execPath)) await copyTo(library, join(folder, library));
  await mkdir(join(folder, 'etc'), { recursive: true });
  await writeFile(join(folder, 'etc/passwd'), 'swell:x:1000:1000::/var/lib/swell:/nonexistent\n');
  await writeFile(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

/** The program alone. Returns the bundle's path. */
export async function layOutProgram(program: Program, folder: string): Promise<string> {
  const { code } = await bundleProgram(program);
  const bundle = join(folder, `${program}.cjs`);
  await mkdir(folder, { recursive: true });
  await writeFile(bundle, code);
  for (const path of READ[program]) await cp(join(root, path), join(folder, path), { recursive: true });
  return bundle;
}

/** The file itself, where it is a link. */
async function copyTo(file: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyFile(file, target);
}
