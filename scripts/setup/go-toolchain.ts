import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ZipEntry, zipEntries } from './archive.ts';
import { download } from './download.ts';
import { cache } from './places.ts';
import { runCommand } from './run-command.ts';

const wanted = [1, 26] as const;
const version = '1.26.8';

/** Go's own hashes of the module golang.org/toolchain, as its checksum database (sum.golang.org) has them. */
const hashes: Readonly<Record<string, string>> = {
  'linux-amd64': 'h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=',
  'linux-arm64': 'h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=',
  'darwin-amd64': 'h1:7/9KPPN8PckcA9s91hm2jmQMhzW4KyTJXHIs45L0C9M=',
  'darwin-arm64': 'h1:dFjGhY6f8DTsY8/rLchUTDRRfjJP4pCrGCwxvHFT2Fg=',
};

let found: Promise<string> | undefined;

/** A Go that is new enough for what we build: the machine's, or one fetched from the module proxy that GOPROXY names into the cache. */
export function goCommand(say: (line: string) => void): Promise<string> {
  found ??= findGo(say);
  return found;
}

async function findGo(say: (line: string) => void): Promise<string> {
  const fetched = join(cache, 'go', 'bin', 'go');
  for (const go of ['go', '/usr/local/go/bin/go', fetched]) {
    if (await isNewEnough(go)) {
      return go;
    }
  }
  await fetchToolchain();
  say(`go ${version}: module golang.org/toolchain`);
  return fetched;
}

async function isNewEnough(go: string): Promise<boolean> {
  const printed = await runCommand(go, ['version'], { timeoutMs: 10_000 }).catch(() => '');
  const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(printed) ?? []).map(Number);
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}

/** The same module that an older Go would fetch to replace itself. */
async function fetchToolchain(): Promise<void> {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const hash = hashes[platform];
  if (hash === undefined) {
    throw new Error(`no Go ${wanted.join('.')} here, and none pinned for ${platform}`);
  }
  const module = `golang.org/toolchain@v0.0.1-go${version}.${platform}`;
  const entries = zipEntries(await download(`${goProxy()}/${module.replace('@', '/@v/')}.zip`));
  const has = moduleHash(entries);
  if (has !== hash) {
    throw new Error(`${module} has the hash ${has}, not ${hash}`);
  }
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, '.go-'));
  try {
    for (const entry of entries) {
      await unpackInto(folder, entry.name.slice(module.length + 1), entry);
    }
    if (!existsSync(join(cache, 'go'))) {
      await rename(folder, join(cache, 'go'));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first module proxy that GOPROXY names. */
function goProxy(): string {
  const proxy = (process.env['GOPROXY'] ?? '').split(/[,|]/).find((one) => one.startsWith('https://'));
  if (proxy === undefined)
    throw new Error(`no Go ${wanted.join('.')} here, and GOPROXY names no proxy to get it from`);
  return proxy.replace(/\/$/, '');
}

async function unpackInto(folder: string, name: string, entry: ZipEntry): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  // Zips of modules carry no modes.
  const isProgram = name.startsWith('bin/') || name.startsWith('pkg/tool/');
  await writeFile(path, entry.unpack(), { mode: isProgram ? 0o755 : 0o644 });
}

/** Go's directory hash (golang.org/x/mod/sumdb/dirhash, "h1"): a hash over the sorted list of the files' hashes. */
function moduleHash(entries: readonly ZipEntry[]): string {
  const list = entries
    .map(({ name, unpack }) => ({ name, sha256: createHash('sha256').update(unpack()).digest('hex') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  return `h1:${createHash('sha256').update(list.join('')).digest('base64')}`;
}
