import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheBin } from './places.ts';
import { runCommand } from './run-command.ts';
import {
  builtWithGo,
  inDebianPackage,
  inFolders,
  inImage,
  inRelease,
  onPath,
  type Source,
  unpackedDebianPackage,
} from './sources.ts';

/** What the demo, the tests and the benchmarks need and npm does not bring. */
export type Tool =
  | 'nats-server'
  | 'nats'
  | 'docker-registry'
  | 'busybox'
  | 'docker'
  | 'docker-compose'
  | 'haproxy'
  | 'prometheus';

type Recipe = {
  /** The version of the binary at that path; throws where it does not run here or is not good enough. */
  readonly inspect: (path: string) => Promise<string>;
  /** Tried in this order: what is there, then what is quickest to get. */
  readonly sources: readonly Source[];
  readonly byHand: string;
};

const natsServer = 'https://github.com/nats-io/nats-server/releases/download/v2.15.0/nats-server-v2.15.0';
const natsCli = 'https://github.com/nats-io/natscli/releases/download/v0.4.0/nats-0.4.0';
const compose = 'https://github.com/docker/compose/releases/download/v2.40.3/docker-compose';
const registry = 'https://github.com/distribution/distribution/releases/download/v3.0.0/registry_3.0.0';

const composePlugIn = 'docker-compose';
const composePaths = [
  'usr/libexec/docker/cli-plugins/docker-compose',
  'usr/lib/docker/cli-plugins/docker-compose',
];

// A platform whose checksum could not be confirmed from two independent records is left to the sources after the release.
const recipes: Readonly<Record<Tool, Recipe>> = {
  'nats-server': {
    inspect: async (path) => atLeast([2, 11], await printed(path, ['--version'])),
    sources: [
      onPath(['nats-server']),
      inImage('nats:2.15-alpine', '/usr/local/bin/nats-server'),
      inRelease('2.15.0', 'nats-server', {
        'linux-x64': {
          url: `${natsServer}-linux-amd64.tar.gz`,
          sha256: '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
        },
        'linux-arm64': {
          url: `${natsServer}-linux-arm64.tar.gz`,
          sha256: 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
        },
        'darwin-arm64': {
          url: `${natsServer}-darwin-arm64.tar.gz`,
          sha256: 'e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8',
        },
      }),
      builtWithGo('tools', 'github.com/nats-io/nats-server/v2'),
      inDebianPackage('nats-server', ['usr/bin/nats-server', 'usr/sbin/nats-server']),
    ],
    byHand: 'https://github.com/nats-io/nats-server/releases (2.11 or newer) or brew install nats-server',
  },
  nats: {
    // Old ones cannot publish with an acknowledgement of the stream, which releasing depends on.
    inspect: async (path) => {
      if (!(await printed(path, ['pub', '--help'])).includes('--jetstream')) {
        throw new Error('it does not know `nats pub --jetstream`');
      }
      return versionIn(await printed(path, ['--version']));
    },
    sources: [
      onPath(['nats']),
      inImage('natsio/nats-box:latest', '/usr/local/bin/nats'),
      inRelease('0.4.0', 'nats', {
        'linux-x64': {
          url: `${natsCli}-linux-amd64.zip`,
          sha256: '8dbd437c826b953dbd7432cf890ef22ba3c33dccc3dce5e71b3e8d055427849c',
        },
        'linux-arm64': {
          url: `${natsCli}-linux-arm64.zip`,
          sha256: '9ce0c8a6653cd697d0b32687fcb53b59c13a2ad7a6ade7af8ad8a1c0f7357a87',
        },
        'darwin-x64': {
          url: `${natsCli}-darwin-amd64.zip`,
          sha256: '87cbc208a9fb1dcd3be364ab351a14901c9c29d50ef6a7a2fd897362dbb0db47',
        },
        'darwin-arm64': {
          url: `${natsCli}-darwin-arm64.zip`,
          sha256: '39a68a0673f1b87d0887f48b02ca17f5d803f5689d4a9cff8e74b6411d6baef7',
        },
      }),
      builtWithGo('tools', 'github.com/nats-io/natscli/nats'),
    ],
    byHand: 'https://github.com/nats-io/natscli/releases or brew install nats-io/nats-tools/nats',
  },
  'docker-registry': {
    inspect: async (path) => atLeast([2, 7], lastWord(await printed(path, ['--version']))),
    sources: [
      onPath(['docker-registry', 'registry']),
      inImage('registry:3.0.0', '/bin/registry'),
      inRelease('3.0.0', 'registry', {
        'linux-x64': {
          url: `${registry}_linux_amd64.tar.gz`,
          sha256: '61c9a2c0d5981a78482025b6b69728521fbc78506d68b223d4a2eb825de5ca3d',
        },
      }),
      // Before Go: seconds instead of minutes, and any version of the last years will do.
      inDebianPackage('docker-registry', ['usr/bin/docker-registry']),
      builtWithGo('tools/registry', 'github.com/distribution/distribution/v3/cmd/registry'),
    ],
    byHand: 'https://github.com/distribution/distribution/releases',
  },
  busybox: {
    // It becomes the only file of images built from nothing, where no loader and no library would be found.
    inspect: async (path) => {
      await mustBeStatic(path);
      return versionIn(await printed(path, ['--help']));
    },
    sources: [
      onPath(['busybox']),
      inImage('busybox:1.37-musl', '/bin/busybox'),
      inDebianPackage('busybox-static', ['usr/bin/busybox', 'bin/busybox']),
    ],
    byHand: 'a statically linked busybox of your distribution (Debian: busybox-static)',
  },
  docker: {
    inspect: async (path) => atLeast([20, 10], await printed(path, ['--version'])),
    sources: [
      onPath(['docker']),
      inImage('docker:28-cli', '/usr/local/bin/docker'),
      inDebianPackage('docker-cli', ['usr/bin/docker']),
      inDebianPackage('docker.io', ['usr/bin/docker']),
    ],
    byHand: 'the docker command of your distribution (Debian: docker-cli)',
  },
  'docker-compose': {
    // Version 1 is another program. Before 2.24 it knew no `configs` with `content`.
    inspect: async (path) => atLeast([2, 24], await printed(path, ['version', '--short'])),
    sources: [
      onPath(['docker-compose']),
      inFolders('plug-ins of docker', composePlugIn, [
        join(homedir(), '.docker/cli-plugins'),
        '/usr/local/lib/docker/cli-plugins',
        '/usr/local/libexec/docker/cli-plugins',
        '/usr/lib/docker/cli-plugins',
        '/usr/libexec/docker/cli-plugins',
      ]),
      inImage('docker:28-cli', '/usr/local/libexec/docker/cli-plugins/docker-compose'),
      inRelease('2.40.3', composePlugIn, {
        'linux-x64': {
          url: `${compose}-linux-x86_64`,
          sha256: 'dba9d98e1ba5bfe11d88c99b9bd32fc4a0624a30fafe68eea34d61a3e42fd372',
        },
        'linux-arm64': {
          url: `${compose}-linux-aarch64`,
          sha256: 'd26373b19e89160546d15407516cc59f453030d9bc5b43ba7faf16f7b4980137',
        },
      }),
      inDebianPackage('docker-compose-v2', composePaths),
      inDebianPackage('docker-compose', composePaths),
      inDebianPackage('docker-compose', composePaths, 'sid'),
      inDebianPackage('docker-compose', composePaths, 'trixie'),
    ],
    byHand: 'https://github.com/docker/compose/releases (2.24 or newer)',
  },
  haproxy: {
    inspect: async (path) => atLeast([2, 4], await printed(path, ['-v'])),
    sources: [onPath(['haproxy']), unpackedDebianPackage('haproxy', 'usr/sbin/haproxy')],
    byHand: 'haproxy (2.4 or newer) of your distribution, or brew install haproxy',
  },
  prometheus: {
    inspect: async (path) => atLeast([2, 30], await printed(path, ['--version'])),
    sources: [
      onPath(['prometheus']),
      inDebianPackage('prometheus', ['usr/bin/prometheus']),
      inImage('prom/prometheus:v3.5.0', '/bin/prometheus'),
    ],
    byHand: 'https://github.com/prometheus/prometheus/releases (2.30 or newer) or brew install prometheus',
  },
};

/**
 * Makes sure that these tools are at hand, fetching or building what is not, and returns where they are.
 * Says one line for each tool that it had to get. Throws, with every source tried and why, where one cannot be had.
 */
export async function ensureTools<Needed extends Tool>(
  needs: readonly Needed[],
  say: (line: string) => void,
): Promise<Readonly<Record<Needed, string>>> {
  await mkdir(cacheBin, { recursive: true });
  // All at once: mostly it is waiting for places that do not answer.
  const results = await Promise.allSettled(
    needs.map(async (tool) => [tool, await ensure(tool, say)] as const),
  );
  const failures = results.filter((result) => result.status === 'rejected');
  if (failures.length > 0) {
    throw new Error(failures.map(({ reason }) => (reason as Error).message).join('\n'));
  }
  const found = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  return Object.fromEntries(found) as Record<Needed, string>;
}

async function ensure(tool: Tool, say: (line: string) => void): Promise<string> {
  const { inspect, sources, byHand } = recipes[tool];
  const given = process.env['SWELL_TOOLS'] === undefined ? undefined : join(process.env['SWELL_TOOLS'], tool);
  const cached = join(cacheBin, tool);
  for (const path of [given, cached]) {
    if (
      path !== undefined &&
      existsSync(path) &&
      (await inspect(path).then(
        () => true,
        () => false,
      ))
    ) {
      return path;
    }
  }
  const reasons: string[] = [];
  for (const source of sources) {
    // Elsewhere until it proved itself, so that a broken download or a second set-up at the same time does no harm.
    // Under its own name, because busybox looks at how it is called.
    const folder = await mkdtemp(join(cacheBin, '.new-'));
    const attempt = join(folder, tool);
    try {
      await source.fetch(attempt, say);
      const version = await inspect(attempt);
      await rename(attempt, cached);
      say(`${tool} ${version}: ${source.name}`);
      return cached;
    } catch (error) {
      reasons.push(`  ${source.name}: ${(error as Error).message}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  throw new Error(
    [`${tool} could not be had:`, ...reasons, `  By hand: ${byHand}, then put it on PATH.`].join('\n'),
  );
}

function printed(path: string, args: readonly string[]): Promise<string> {
  return runCommand(path, args, { timeoutMs: 10_000 });
}

function lastWord(text: string): string {
  return text.trim().split(/\s+/).at(-1) ?? '';
}

function versionIn(text: string): string {
  const version = /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
  if (version === undefined) {
    throw new Error(`no version in what it prints: ${text.trim().slice(0, 80)}`);
  }
  return version;
}

function atLeast([major, minor]: readonly [number, number], text: string): string {
  const version = versionIn(text);
  const [hasMajor = 0, hasMinor = 0] = version.split('.').map(Number);
  if (hasMajor < major || (hasMajor === major && hasMinor < minor)) {
    throw new Error(`it is ${version}; ${major}.${minor} or newer is needed`);
  }
  return version;
}

/** An ELF file that names no interpreter (program header PT_INTERP) needs no loader. */
async function mustBeStatic(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4_096), 0, 4_096, 0);
    if (buffer.readUInt32BE(0) !== 0x7f454c46 || buffer[4] !== 2) {
      throw new Error('it is no 64-bit ELF file');
    }
    const headers = Number(buffer.readBigUInt64LE(32));
    const size = buffer.readUInt16LE(54);
    const count = buffer.readUInt16LE(56);
    const types = Array.from({ length: count }, (_, index) => buffer.readUInt32LE(headers + index * size));
    if (types.includes(3)) {
      throw new Error('it is not statically linked');
    }
  } finally {
    await file.close();
  }
}
