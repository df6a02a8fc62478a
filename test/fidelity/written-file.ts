import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';

/** A file in a container, as `640 7:8:<its content>`. */
export async function contentOf(container: Docker.Container, path: string): Promise<string> {
  const archive = (await container.getArchive({ path })) as Readable;
  for await (const entry of archive.pipe(extract())) {
    const { mode, uid, gid } = entry.header;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    return `${(mode & 0o7777).toString(8)} ${uid} ${gid}:${Buffer.concat(chunks).toString('utf8')}`;
  }
  throw new Error(`${path} is empty`);
}
