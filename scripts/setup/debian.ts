import { constants, existsSync } from 'node:fs';
import { access, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

// A mirror that does not answer must not hold up a source further down the list; a slow one may take its time.
const network = [
  '-o',
  'Acquire::http::Timeout=8',
  '-o',
  'Acquire::https::Timeout=8',
  '-o',
  'Acquire::Retries=1',
];
const timeoutMs = 600_000;
const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const env = { DEBIAN_FRONTEND: 'noninteractive' };

/** One apt-get at a time: its locks are for the whole machine. */
let queue: Promise<unknown> = Promise.resolve();
let listsUpdated: Promise<unknown> | undefined;

/** Whether this process may install packages and start daemons. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether this is Debian or one of its kind. */
export function hasApt(): boolean {
  return existsSync('/usr/bin/apt-get');
}

/** Installs packages for the whole machine, as root. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  await inTurn(async () => {
    await updateLists();
    await apt(['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...packages]);
  });
}

/**
 * Copies one file out of a package without installing it: no service is started, nothing of the machine changes.
 * apt checks the package's signature as it does for an installation.
 */
export async function fileFromPackage(
  name: string,
  paths: readonly string[],
  target: string,
  suite?: string,
): Promise<void> {
  await inTurn(async () => {
    if (suite === undefined && isRoot()) {
      await updateLists();
    }
    const folder = await mkdtemp(join(tmpdir(), 'swell-deb-'));
    try {
      const lists = suite === undefined ? [] : await listsOf(suite, folder);
      // Root's apt hands the download to a user of its own, who could not write here; this keeps it from saying so.
      await apt(['download', '-o', 'APT::Sandbox::User=root', ...lists, name], folder);
      const archive = (await readdir(folder)).find((file) => file.endsWith('.deb'));
      await runCommand('dpkg-deb', ['-x', archive ?? name, '.'], { cwd: folder, timeoutMs });
      await copyFile(await firstReadable(paths.map((path) => join(folder, path))), target);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

/** Reads what a suite of Debian's own archive has into that folder, beside the machine's own lists; returns what apt must be told. */
async function listsOf(suite: string, folder: string): Promise<readonly string[]> {
  if (!existsSync(debianKeyring)) {
    throw new Error(`${debianKeyring} is not here`);
  }
  const sources = join(folder, 'suite.list');
  await writeFile(sources, `deb [signed-by=${debianKeyring}] http://deb.debian.org/debian ${suite} main\n`);
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
  await apt(['update', ...options], folder);
  return options;
}

/**
 * Unpacks a package, and whatever it depends on that this machine lacks, into a folder without installing it. What lies
 * there needs to be told where its libraries are.
 */
export async function unpackPackage(name: string, target: string): Promise<void> {
  await inTurn(async () => {
    if (isRoot()) {
      await updateLists();
    }
    const folder = await mkdtemp(join(tmpdir(), 'swell-deb-'));
    try {
      await mkdir(join(folder, 'partial'));
      await mkdir(target, { recursive: true });
      // Nothing is installed, so nobody's lock is needed, and nobody has to be root.
      const here = ['-o', `Dir::Cache::archives=${folder}`, '-o', 'Debug::NoLocking=true'];
      const only = ['--download-only', '--no-install-recommends', '-o', 'APT::Sandbox::User=root'];
      await apt(['install', '-y', ...only, ...here, name]);
      for (const archive of (await readdir(folder)).filter((file) => file.endsWith('.deb'))) {
        await runCommand('dpkg-deb', ['-x', join(folder, archive), target], { timeoutMs });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

function updateLists(): Promise<unknown> {
  listsUpdated ??= apt(['update']);
  return listsUpdated;
}

function apt(args: readonly string[], cwd?: string): Promise<string> {
  return runCommand('apt-get', ['-q', ...network, ...args], {
    timeoutMs,
    env,
    ...(cwd === undefined ? {} : { cwd }),
  });
}

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const turn = queue.then(work);
  queue = turn.catch(() => undefined);
  return turn;
}

async function firstReadable(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    try {
      await access(path, constants.R_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Error(`the package holds none of ${paths.join(', ')}`);
}
