/**
 * A Swarm of one node on a dockerd of its own, as the machine's must not become a manager for this. It keeps its hands off
 * the firewall, so the port is Docker's proxy's.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { noOwnDockerd, OwnDockerd } from '../../crash/own-dockerd.ts';
import { buildLocalImage, TEST_LABEL, WEB_PORT } from '../../support/docker.ts';
import { freePorts } from '../../support/ports.ts';
import { type Ground, serverImage } from './ground.ts';
import type { Way } from './way.ts';

const NAME = 'web';
const ASK_EVERY_MS = 50;
const CONVERGED_WITHIN_MS = 60_000;

export interface Swarm extends AsyncDisposable {
  readonly update: Way;
}

/** Throws with the reason where there can be none. */
export async function openSwarm({ label }: Ground, port: number): Promise<Swarm> {
  const reason = await noOwnDockerd();
  if (reason !== undefined) throw new Error(reason);
  const dockerd = await OwnDockerd.open();
  try {
    const { docker } = dockerd;
    for (const tag of ['v1', 'v2']) await buildLocalImage(docker, serverImage('web', tag, label));
    const [managerPort = 0] = await freePorts(1);
    await docker.swarmInit({ ListenAddr: `127.0.0.1:${managerPort}`, AdvertiseAddr: '127.0.0.1' });
    const spec = (tag: string) => serviceSpec(`web:${tag}`, port, label);
    await docker.createService(spec('v1'));
    await untilRunning(docker, 'web:v1');
    let updates = 0;
    const version = (): string => (updates % 2 === 0 ? 'v1' : 'v2');
    return {
      update: {
        port,
        async makeReady() {
          updates += 1;
          return version();
        },
        async replace() {
          const service = docker.getService(NAME);
          const { Version } = (await service.inspect()) as { readonly Version: { readonly Index: number } };
          await service.update({ version: Version.Index, ...spec(version()) });
          await untilRunning(docker, `web:${version()}`);
        },
      },
      async [Symbol.asyncDispose]() {
        await docker.getService(NAME).remove();
        await docker.swarmLeave({ force: true });
        await docker
          .getNetwork('docker_gwbridge')
          .remove()
          .catch(() => {});
        await dockerd[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await dockerd[Symbol.asyncDispose]();
    throw error;
  }
}

function serviceSpec(image: string, port: number, label: string): Docker.CreateServiceOptions {
  return {
    Name: NAME,
    TaskTemplate: { ContainerSpec: { Image: image, Labels: { [TEST_LABEL]: label } } },
    Mode: { Replicated: { Replicas: 1 } },
    UpdateConfig: { Parallelism: 1, Order: 'stop-first', Monitor: 1_000_000 },
    EndpointSpec: {
      Ports: [{ Protocol: 'tcp', TargetPort: WEB_PORT, PublishedPort: port, PublishMode: 'host' }],
    },
  };
}

async function untilRunning(docker: Docker, image: string): Promise<void> {
  const deadline = performance.now() + CONVERGED_WITHIN_MS;
  for (;;) {
    const tasks = (await docker.listTasks({ filters: { service: [NAME] } })) as readonly Task[];
    const running = tasks.filter(({ Status }) => Status.State === 'running');
    if (running.some(({ Spec }) => Spec.ContainerSpec.Image.startsWith(image))) return;
    if (performance.now() > deadline) {
      const said = tasks.map(({ Status }) => `${Status.State} ${Status.Err ?? ''}`).join('; ');
      throw new Error(`Swarm did not get ${image} to run: ${said}`);
    }
    await delay(ASK_EVERY_MS);
  }
}

interface Task {
  readonly Status: { readonly State: string; readonly Err?: string };
  readonly Spec: { readonly ContainerSpec: { readonly Image: string } };
}
