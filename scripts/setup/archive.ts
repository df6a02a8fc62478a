import { Readable } from 'node:stream';
import { createGunzip, inflateRawSync } from 'node:zlib';
import tar from 'tar-stream';

/** The file of that name (whatever its folder) in a tar stream. */
export async function fileFromTar(stream: Readable, name: string): Promise<Buffer> {
  const extract = tar.extract();
  stream.on('error', (error) => extract.destroy(error)).pipe(extract);
  let found: Buffer | undefined;
  for await (const entry of extract) {
    if (found === undefined && entry.header.type === 'file' && isNamed(entry.header.name, name)) {
      found = await bytesOf(entry);
    } else {
      entry.resume();
    }
  }
  return found ?? missing(name);
}

/** The file of that name in a gzipped tar. */
export function fileFromTarGz(archive: Buffer, name: string): Promise<Buffer> {
  return fileFromTar(Readable.from([archive]).pipe(createGunzip()), name);
}

/** The file of that name in a zip. */
export function fileFromZip(archive: Buffer, name: string): Buffer {
  return (
    zipEntries(archive)
      .find((entry) => isNamed(entry.name, name))
      ?.unpack() ?? missing(name)
  );
}

/** A file in a zip; unpacked when asked for. */
export type ZipEntry = { readonly name: string; readonly unpack: () => Buffer };

/**
 * The files in a zip, by its central directory.
 * By hand, because the nats CLI and Go modules come as zip only and a bare machine has no `unzip`.
 */
export function zipEntries(archive: Buffer): readonly ZipEntry[] {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const entries: ZipEntry[] = [];
  let at = end < 0 ? archive.length : archive.readUInt32LE(end + 16);
  while (at + 46 <= archive.length && archive.readUInt32LE(at) === 0x02014b50) {
    const method = archive.readUInt16LE(at + 10);
    const packedBytes = archive.readUInt32LE(at + 20);
    const nameBytes = archive.readUInt16LE(at + 28);
    const local = archive.readUInt32LE(at + 42);
    entries.push({
      name: archive.toString('utf8', at + 46, at + 46 + nameBytes),
      unpack: () => {
        // The local header repeats name and extra field, with a length of its own.
        const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
        const packed = archive.subarray(start, start + packedBytes);
        return method === 0 ? packed : inflateRawSync(packed);
      },
    });
    at += 46 + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

function isNamed(path: string, name: string): boolean {
  return path === name || path.endsWith(`/${name}`);
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function missing(name: string): never {
  throw new Error(`the archive holds no file ${name}`);
}
