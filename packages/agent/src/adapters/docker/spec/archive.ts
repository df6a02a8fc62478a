/** Single files of a container: what Docker tells of them, and how they go in and out, as tar. */

import type { Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';

/** An entry of Docker's `GET /containers/<id>/changes`. */
export interface Change {
  readonly Path: string;
  /** 0: changed, 1: added, 2: deleted. */
  readonly Kind: number;
}

/** What Docker says of a path in a container. */
export interface PathStat {
  readonly size: number;
  /** As Go writes it: the kind of the file in the high bits. */
  readonly mode: number;
  readonly mtime: string;
}

export interface WrittenFile {
  readonly path: string;
  /** Only the permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: Buffer;
}

/** The first plain file of an archive of one path. */
export async function fileIn(archive: Readable, path: string): Promise<WrittenFile | undefined> {
  const entries = extract();
  archive.on('error', (error) => entries.destroy(error)).pipe(entries);
  let found: WrittenFile | undefined;
  for await (const entry of entries) {
    const { type, mode, uid, gid } = entry.header;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (type === 'file') found ??= { path, mode: mode & 0o7777, uid, gid, bytes: Buffer.concat(chunks) };
  }
  return found;
}

/** An archive to be unpacked at the root. */
export async function archiveOf(files: readonly WrittenFile[], now: Date): Promise<Buffer> {
  const archive = pack();
  for (const { path, mode, uid, gid, bytes } of files) {
    archive.entry({ name: path.replace(/^\//, ''), mode, uid, gid, mtime: now }, bytes);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What Docker writes into the header of its answer. */
export function readPathStat(header: string | readonly string[] | undefined): PathStat | undefined {
  if (typeof header !== 'string') return undefined;
  const stat: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  return isPathStat(stat) ? stat : undefined;
}

function isPathStat(value: unknown): value is PathStat {
  if (typeof value !== 'object' || value === null) return false;
  const { size, mode, mtime }: Partial<Record<keyof PathStat, unknown>> = value;
  return typeof size === 'number' && typeof mode === 'number' && typeof mtime === 'string';
}
