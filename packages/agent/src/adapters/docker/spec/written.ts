/**
 * Files that Compose wrote into a container between its creation and its start: `configs` with `content:` or
 * `environment:`, and `secrets` from the environment. They come with neither the image nor a mount, so they are copied.
 *
 * Docker does not say who wrote a file. Compose's own come through Docker's archive, which writes whole seconds, right
 * after the creation; what a program writes has a fraction. Below `/run/secrets` everything is Compose's.
 */

import type { Dockerd } from '../dockerd.ts';
import type { InspectedContainer } from '../inspected.ts';
import type { Change, PathStat, WrittenFile } from './archive.ts';

const SECRETS = '/run/secrets/';
/** Whoever ran Compose may have had another clock. */
const CLOCKS_APART_MS = 600_000;
/** A service that keeps its data in the container itself may have written any number of files: the shallowest are looked at. */
const LOOKS_MAX = 5_000;
const LOOKS_AT_ONCE = 8;
/** More than anybody writes into a Compose file. */
const SIZE_MAX = 16 * 2 ** 20;
const DELETED = 2;
/** Go's bits for all that is no plain file: folders, links, devices, pipes, sockets. */
const NOT_PLAIN = [31, 27, 26, 25, 24, 21, 19].reduce((bits, bit) => bits + 2 ** bit, 0);

/** The paths that may be such files: outside its mounts, the shallowest first. */
export function suspects(container: InspectedContainer, changes: readonly Change[]): readonly string[] {
  const present = changes.filter(({ Kind }) => Kind !== DELETED).map(({ Path }) => Path);
  const folders = new Set(present.map((path) => path.slice(0, path.lastIndexOf('/'))));
  const mounted = (container.Mounts ?? []).map(({ Destination }) => Destination);
  return present
    .filter((path) => !folders.has(path))
    .filter((path) => !mounted.some((place) => path === place || path.startsWith(`${place}/`)))
    .sort((a, b) => depthOf(a) - depthOf(b))
    .slice(0, LOOKS_MAX);
}

export function isByCompose(container: InspectedContainer, path: string, stat: PathStat): boolean {
  if (hasBits(stat.mode, NOT_PLAIN) || stat.size > SIZE_MAX) return false;
  if (path.startsWith(SECRETS)) return true;
  const writtenMs = Date.parse(stat.mtime);
  const createdMs = Date.parse(container.Created ?? '');
  return /:\d\dZ$/.test(stat.mtime) && Math.abs(writtenMs - createdMs) <= CLOCKS_APART_MS;
}

/**
 * What the file must be in the new container: the same, but that one of the container's own user goes to that user, who
 * may have come from the image, and be another one now.
 */
export function handedOver(file: WrittenFile, oldUser: string, newUser: string): WrittenFile {
  const [before, after] = [ownerOf(oldUser), ownerOf(newUser)];
  const follows = before !== undefined && file.uid === before.uid && file.gid === before.gid;
  return follows && after !== undefined ? { ...file, ...after } : file;
}

/** Of a container that Compose did not make nothing is asked: what it has written may be millions of files. */
export async function writtenFiles(
  dockerd: Pick<Dockerd, 'changes' | 'pathStat' | 'readFile'>,
  container: InspectedContainer,
): Promise<readonly WrittenFile[]> {
  if (container.Config.Labels?.['com.docker.compose.project'] === undefined) return [];
  const paths = suspects(container, await dockerd.changes(container.Id)).values();
  const found: WrittenFile[] = [];
  const look = async (): Promise<void> => {
    for (const path of paths) {
      const stat = await dockerd.pathStat(container.Id, path);
      if (stat === undefined || !isByCompose(container, path, stat)) continue;
      const file = await dockerd.readFile(container.Id, path);
      if (file !== undefined) found.push(file);
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Copies them into the new container; called again, it copies them again. */
export async function copyWritten(
  dockerd: Dockerd,
  old: InspectedContainer,
  fresh: InspectedContainer,
): Promise<void> {
  const files = await owedTo(dockerd, old, fresh);
  if (files.length > 0) await dockerd.writeFiles(fresh.Id, files);
}

/** Which of them the new container has not, or not as they were. */
export async function missingWritten(
  dockerd: Dockerd,
  old: InspectedContainer,
  fresh: InspectedContainer,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const file of await owedTo(dockerd, old, fresh)) {
    const copy = await dockerd.readFile(fresh.Id, file.path);
    if (copy === undefined) missing.push(`file ${file.path} is missing`);
    else if (!copy.bytes.equals(file.bytes)) missing.push(`file ${file.path} has another content`);
    else if (rightsOf(copy) !== rightsOf(file)) {
      missing.push(`file ${file.path}: ${rightsOf(file)} became ${rightsOf(copy)}`);
    }
  }
  return missing;
}

async function owedTo(
  dockerd: Dockerd,
  old: InspectedContainer,
  fresh: InspectedContainer,
): Promise<readonly WrittenFile[]> {
  const files = await writtenFiles(dockerd, old);
  return files.map((file) => handedOver(file, old.Config.User ?? '', fresh.Config.User ?? ''));
}

function rightsOf({ mode, uid, gid }: WrittenFile): string {
  return `mode ${mode.toString(8)} of ${uid}:${gid}`;
}

/** What a name means can only be told from inside. */
function ownerOf(user: string): { readonly uid: number; readonly gid: number } | undefined {
  if (!/^\d+(?::\d+)?$/.test(user)) return undefined;
  const [uid, gid = 0] = user.split(':').map(Number);
  return uid === undefined ? undefined : { uid, gid };
}

function depthOf(path: string): number {
  return path.split('/').length;
}

/** Bit 31 is beyond what JavaScript's operators can do. */
function hasBits(mode: number, bits: number): boolean {
  return (BigInt(mode) & BigInt(bits)) !== 0n;
}
