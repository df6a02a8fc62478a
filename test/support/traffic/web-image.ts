/** An image of {@link file://./web-server.ts}, made of nothing but this machine's Node and the libraries that it needs. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { runCommand } from '../../../scripts/setup/run-command.ts';
import { buildFrom, type ImageOptions, pushImage, TEST_LABEL, WEB_PORT } from '../docker.ts';

const NODE = '/bin/node';
const PROGRAM = '/web-server.ts';

/** Builds it and pushes it to the registry that its repository names. */
export async function buildWebImage(docker: Docker, options: ImageOptions): Promise<PinnedImage> {
  const context = pack();
  context.entry({ name: `root${NODE}`, mode: 0o755 }, await readFile(process.execPath));
  for (const library of await librariesOf(process.execPath))
    context.entry({ name: `root${library}`, mode: 0o755 }, await readFile(library));
  context.entry({ name: 'web-server.ts' }, await readFile(join(import.meta.dirname, 'web-server.ts')));
  context.entry({ name: 'Dockerfile' }, dockerfile(options).join('\n'));
  context.finalize();
  await buildFrom(docker, Readable.from(context), options);
  return pushImage(docker, options);
}

/** What differs between two images comes last: they share all else. */
function dockerfile({ version, label = 'any' }: ImageOptions): readonly string[] {
  return [
    'FROM scratch',
    // First, so that no two tests share a layer.
    `LABEL ${TEST_LABEL}=${label}`,
    'COPY root /',
    `COPY web-server.ts ${PROGRAM}`,
    `LABEL org.opencontainers.image.version=${version}`,
    `ENV VERSION=${version} PORT=${WEB_PORT}`,
    `EXPOSE ${WEB_PORT}`,
    `ENTRYPOINT ["${NODE}", "${PROGRAM}"]`,
    '',
  ];
}

/** What the loader needs to start it, each at its own place. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const printed = await runCommand('ldd', [program], { timeoutMs: 10_000 });
  return printed.match(/(?<=\s)\/\S+/g) ?? [];
}
