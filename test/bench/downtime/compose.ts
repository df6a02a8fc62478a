/** The usual scripts of operators: Compose takes the old container away and makes a new one. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildEnded, TEST_LABEL, WEB_PORT } from '../../support/docker.ts';
import { runTool } from '../../support/tools.ts';
import { type Ground, versionOf } from './ground.ts';
import type { Way } from './way.ts';

const TIMEOUT_MS = 120_000;

export interface Composed extends AsyncDisposable {
  readonly bridge: string;
  readonly downUp: Way;
  readonly pullUp: Way;
}

export async function openComposed(ground: Ground, port: number): Promise<Composed> {
  const { docker, label, images } = ground;
  const [{ repository }] = images;
  const directory = await mkdtemp(join(tmpdir(), 'swell-compose-'));
  const file = join(directory, 'compose.yaml');
  const bridge = `swb-c${label.slice(-8)}`;
  const project = {
    name: `swell-${label}`,
    services: {
      web: {
        image: `${repository}:current`,
        ports: [`${port}:${WEB_PORT}`],
        restart: 'unless-stopped',
        labels: { [TEST_LABEL]: label },
      },
    },
    networks: {
      default: {
        labels: { [TEST_LABEL]: label },
        driver_opts: { 'com.docker.network.bridge.name': bridge },
      },
    },
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(project));
  const compose = (...words: readonly string[]): Promise<string> =>
    runTool('docker-compose', ['-f', file, ...words], TIMEOUT_MS);
  let releases = 0;
  const image = (release: number): (typeof images)[number] => images[release % 2 === 0 ? 0 : 1];
  // By its digest: a swap gives the name of its container's image to the image that it brings.
  const nameLocally = (release: number): Promise<unknown> =>
    docker.getImage(`${repository}@${image(release).digest}`).tag({ repo: repository, tag: 'current' });
  /** The registry has the next one, and this machine does not know yet. */
  const release = async (): Promise<string> => {
    releases += 1;
    await nameLocally(releases);
    const authconfig = { username: '', password: '', serveraddress: '' };
    await buildEnded(
      docker,
      await docker.getImage(`${repository}:current`).push({ tag: 'current', authconfig }),
    );
    await nameLocally(releases - 1);
    return versionOf(image(releases));
  };
  await nameLocally(releases);
  await compose('up', '-d');
  return {
    bridge,
    downUp: {
      port,
      // With the image here already: what pulls in between takes longer by as much.
      async makeReady() {
        releases += 1;
        await nameLocally(releases);
        return versionOf(image(releases));
      },
      async replace() {
        await compose('down');
        await compose('up', '-d');
      },
    },
    pullUp: {
      port,
      makeReady: release,
      async replace() {
        await compose('pull', '-q');
        await compose('up', '-d');
      },
    },
    async [Symbol.asyncDispose]() {
      await compose('down');
      await rm(directory, { recursive: true });
    },
  };
}
