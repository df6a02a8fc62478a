// Runs a TypeScript file of this repository with the Node it is pinned to, on a machine that has only *a* Node and npm.
//
//   node scripts/run.mjs [file.ts [arguments …]]      without a file: only make node_modules ready
//
// The only plain JavaScript here, because it is what an older Node (18 or newer) must be able to read. It has no dependencies:
// it runs before there are any.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const wantedMajor = 24;
const pinned = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

if (!isInstalled()) {
  process.stderr.write('Installing packages (npm ci) …\n');
  install(process.execPath);
  // An npm that runs on an old Node leaves out optional packages made for newer ones, such as compiled parts of our tools.
  if (!isInstalled() && existsSync(pinned)) {
    install(pinned);
  }
}
const node = pinnedNode();
const [file, ...args] = process.argv.slice(2);
if (file !== undefined) {
  run(node, [file, ...args]);
}

/**
 * Whether every package that the lockfile demands here is installed in its version.
 * Contents are compared, not times: a checkout or an `npm install` touches files without changing what they say.
 */
function isInstalled() {
  const libc = libcHere();
  const installed = packagesOf(join(modules, '.package-lock.json'));
  const wanted = packagesOf(join(root, 'package-lock.json'));
  return Object.entries(wanted).every(([path, entry]) => {
    const required =
      path.startsWith('node_modules/') && (!isOptional(entry) || isMadeForThisMachine(entry, libc));
    return !required || installed[path]?.version === entry.version;
  });
}

function isOptional(entry) {
  return entry.optional === true || entry.devOptional === true;
}

/** Of the packages that carry a program's compiled part for one kind of machine: whether it is this one. */
function isMadeForThisMachine(entry, libc) {
  const fits = (wanted, has) => wanted === undefined || wanted.includes(has);
  const isCompiled = entry.os !== undefined && entry.cpu !== undefined;
  return (
    isCompiled && fits(entry.os, process.platform) && fits(entry.cpu, process.arch) && fits(entry.libc, libc)
  );
}

function libcHere() {
  // Without this the report looks up names of every connection, which takes seconds.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : {};
}

/** Runs npm with that Node. */
function install(runtime) {
  // Development packages even under NODE_ENV=production: Node itself is one of them.
  const ci = ['ci', '--include=dev', '--include=optional', '--loglevel=error', '--no-audit', '--no-fund'];
  // Under `npm run`, the very npm that runs us. Its output goes to stderr: stdout belongs to the program that we start.
  const npm = process.env.npm_execpath;
  const env = { ...process.env, PATH: [dirname(runtime), process.env.PATH].join(delimiter) };
  const inherited = { cwd: root, env, stdio: ['ignore', 2, 2] };
  const ended = npm?.endsWith('.js')
    ? spawnSync(runtime, [npm, ...ci], inherited)
    : spawnSync('npm', ci, { ...inherited, shell: process.platform === 'win32' });
  if (ended.status !== 0) {
    const why = ended.error?.message ?? `it ended with ${ended.status ?? ended.signal}`;
    giveUp(`npm ci did not succeed: ${why}`, ended.status ?? 1);
  }
}

/** The Node that package.json pins, or the running one where that is new enough. */
function pinnedNode() {
  if (existsSync(pinned)) {
    return pinned;
  }
  if (Number.parseInt(process.versions.node, 10) >= wantedMajor) {
    return process.execPath;
  }
  return giveUp(
    [
      `This needs Node ${wantedMajor}; this machine runs ${process.version}, and the npm package "node" did not bring one.`,
      'Its install script was probably blocked (npm config get ignore-scripts). Either let it run:',
      '  npm rebuild node --ignore-scripts=false',
      `or put Node ${wantedMajor} or newer on PATH.`,
    ].join('\n'),
    1,
  );
}

function run(command, commandArgs) {
  const child = spawn(command, commandArgs, {
    stdio: 'inherit',
    // What the program starts by name (tsc, vitest, `env node`) is this repository's too.
    env: { ...process.env, PATH: [join(modules, '.bin'), process.env.PATH].join(delimiter) },
    shell: process.platform === 'win32',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child itself; a second one would look like impatience.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) {
        child.kill(signal);
      }
    });
  }
  child.on('error', (error) => giveUp(`${command} could not be started: ${error.message}`, 1));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function giveUp(message, code) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
