import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GenericContainer, getContainerRuntimeClient, ImageName, Wait } from 'testcontainers';
import { librariesOf } from '../../scripts/setup/libraries.ts';
import type { NatsServer, NatsServerOptions } from './nats.ts';
import { natsConf, untilReady } from './nats-conf.ts';
import { freePorts } from './ports.ts';
import { toolPath } from './tools.ts';

const OFFICIAL_IMAGE = 'nats:2.15-alpine';
const OWN_IMAGE = 'swell-local/nats-server:latest';
const CONF = '/etc/nats/swell.conf';

/** Starts nats-server in a container; `undefined` where no Docker daemon answers. */
export async function startNatsContainer(options: NatsServerOptions = {}): Promise<NatsServer | undefined> {
  withoutReaper();
  const client = await getContainerRuntimeClient().catch(() => undefined);
  if (client === undefined) return undefined;
  const image = await imageAtHand();
  const [port = 0, httpPort = 0] = await freePorts(2);
  const place = { host: '0.0.0.0', port: 4222, httpPort: 8222, store: '/data' };
  const started = await new GenericContainer(image)
    .withCommand(['-c', CONF])
    .withCopyContentToContainer([{ content: natsConf(place, options), target: CONF }])
    // Ports that the daemon chose would be others after a restart.
    .withExposedPorts({ container: 4222, host: port }, { container: 8222, host: httpPort })
    .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
    .start();
  const container = client.container.getById(started.getId());
  await untilReady(port, () => undefined);

  const stop = async (): Promise<void> => {
    // A paused container cannot be stopped.
    await container.unpause().catch(() => undefined);
    await container.remove({ force: true, v: true });
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    monitoringUrl: `http://127.0.0.1:${httpPort}`,
    runsAs: 'container',
    kill: async () => void (await container.kill()),
    async restart() {
      await container.restart();
      await untilReady(port, () => undefined);
    },
    pause: async () => void (await container.pause()),
    resume: async () => void (await container.unpause()),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The containers are stopped here; a reaper would be one more image to fetch. */
function withoutReaper(): void {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
}

let resolved: Promise<string> | undefined;

/**
 * `SWELL_NATS_IMAGE`, else the official one, else one made of the binary that is here; found once. `npm test` finds it for
 * all files of a run.
 */
export function imageAtHand(): Promise<string> {
  withoutReaper();
  resolved ??= findImage();
  return resolved;
}

async function findImage(): Promise<string> {
  const chosen = process.env['SWELL_NATS_IMAGE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const { image } = await getContainerRuntimeClient();
  // Pulls only what is not here yet.
  return image.pull(ImageName.fromString(OFFICIAL_IMAGE)).then(
    () => OFFICIAL_IMAGE,
    () => buildOwnImage(),
  );
}

/** From scratch: the binary, and the libraries that it is linked with, if any. */
async function buildOwnImage(): Promise<string> {
  const context = await mkdtemp(join(tmpdir(), 'swell-nats-image-'));
  try {
    const binary = await realpath(toolPath('nats-server'));
    await copyFile(binary, join(context, 'nats-server'));
    for (const library of await librariesOf(binary)) {
      const target = join(context, 'root', library);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(library, target);
    }
    await mkdir(join(context, 'root', 'data'), { recursive: true });
    const dockerfile =
      'FROM scratch\nCOPY root /\nCOPY nats-server /nats-server\nENTRYPOINT ["/nats-server"]\n';
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    await GenericContainer.fromDockerfile(context).build(OWN_IMAGE, { deleteOnExit: false });
    return OWN_IMAGE;
  } finally {
    await rm(context, { recursive: true });
  }
}
