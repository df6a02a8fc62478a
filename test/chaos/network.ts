/**
 * Where the storm's programs live: each place is a network namespace of its own, and one more in their middle routes
 * between them, so that what one sends to another can be lost, in one direction or in both. Nothing leads from there to
 * the machine's own network. Where namespaces cannot be made every place is the loopback, and no way can be cut.
 */

import { readdir } from 'node:fs/promises';
import { runCommand } from '../../scripts/setup/run-command.ts';

export interface Place {
  readonly name: string;
  readonly address: string;
  /** What a command is started through to run there. */
  readonly entry: readonly string[];
}

export interface Network {
  /** Why no way can be cut, if none can. */
  readonly uncut?: string;
  place(name: string): Place;
  /** What `from` sends reaches `to` no more, until it is called again with `mend`. */
  cut(from: Place, to: Place, mend?: 'mend'): Promise<void>;
}

const PREFIX = 'swell-chaos';
const MIDDLE = 'middle';
const NAMESPACES = '/run/netns';
const COMMAND_TIMEOUT_MS = 10_000;

/** The network of one run, by the process that made it. */
export function networkName(pid: number): string {
  return `${PREFIX}-${pid}`;
}

/** Makes a namespace for each place, and the one between them; returns why, where that cannot be done here. */
export async function makeNamespaces(name: string, places: readonly string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    await connectPlaces(name, places);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here: ${(error as Error).message}`;
  }
}

async function connectPlaces(name: string, places: readonly string[]): Promise<void> {
  const middle = `${name}-${MIDDLE}`;
  await ip('netns', 'add', middle);
  await ip('netns', 'exec', middle, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  for (const [index, place] of places.entries()) {
    const [own, link] = [`${name}-${place}`, `to-${place}`];
    await ip('netns', 'add', own);
    await ip('link', 'add', 'way', 'netns', own, 'type', 'veth', 'peer', 'name', link, 'netns', middle);
    await ip('-n', middle, 'addr', 'add', `${gatewayOf(index)}/24`, 'dev', link);
    await ip('-n', middle, 'link', 'set', link, 'up');
    await ip('-n', own, 'addr', 'add', `${addressOf(index)}/24`, 'dev', 'way');
    await ip('-n', own, 'link', 'set', 'way', 'up');
    await ip('-n', own, 'link', 'set', 'lo', 'up');
    await ip('-n', own, 'route', 'add', 'default', 'via', gatewayOf(index));
  }
  // That what they send can be lost as well.
  const rule = ['from', addressOf(0), 'to', addressOf(1), 'blackhole'];
  await ip('-n', middle, 'rule', 'add', ...rule);
  await ip('-n', middle, 'rule', 'del', ...rule);
}

/** Ends whatever still runs in the namespaces of this network, and takes them away. */
export async function removeNamespaces(name: string): Promise<void> {
  const all = await readdir(NAMESPACES).catch(() => []);
  for (const namespace of all.filter((one) => one.startsWith(`${name}-`))) {
    for (const pid of (await ip('netns', 'pids', namespace)).split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended by itself meanwhile.
      }
    }
    await ip('netns', 'del', namespace);
  }
}

/** The namespaces that {@link makeNamespaces} made, for the same places in the same order. */
export function namespaceNetwork(name: string, places: readonly string[]): Network {
  return {
    place: (wanted) => ({
      name: wanted,
      address: addressOf(places.indexOf(wanted)),
      entry: entryTo(name, wanted),
    }),
    async cut(from, to, mend) {
      const rule = ['from', from.address, 'to', to.address, 'blackhole'];
      await ip('-n', `${name}-${MIDDLE}`, 'rule', mend === undefined ? 'add' : 'del', ...rule);
    },
  };
}

export function loopbackNetwork(uncut: string): Network {
  return {
    uncut,
    place: (name) => ({ name, address: '127.0.0.1', entry: [] }),
    cut: () => Promise.reject(new Error(uncut)),
  };
}

/** What starts a command in the namespace of a place; it takes over the process. */
export function entryTo(name: string, place: string): readonly string[] {
  return ['ip', 'netns', 'exec', `${name}-${place}`];
}

const addressOf = (index: number): string => `10.77.${index}.2`;
const gatewayOf = (index: number): string => `10.77.${index}.1`;

function ip(...args: readonly string[]): Promise<string> {
  return runCommand('ip', args, { timeoutMs: COMMAND_TIMEOUT_MS });
}
