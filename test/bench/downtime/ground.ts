/** What all ways have in common: a dockerd, a registry, and two images of a small HTTP server that ends at once when told. */

import { randomUUID } from 'node:crypto';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { buildImage, type ImageOptions, removeByLabel, testDocker, WEB_PORT } from '../../support/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';

const VERSIONS = ['v1', 'v2'] as const;

export class Ground implements AsyncDisposable {
  readonly label: string;
  readonly docker: Docker;
  readonly registry: DockerRegistry;
  readonly images: readonly [PinnedImage, PinnedImage];

  private constructor(parts: Pick<Ground, 'label' | 'docker' | 'registry' | 'images'>) {
    this.label = parts.label;
    this.docker = parts.docker;
    this.registry = parts.registry;
    this.images = parts.images;
  }

  static async open(): Promise<Ground> {
    const label = `downtime-${randomUUID().slice(0, 8)}`;
    const docker = testDocker();
    const registry = await startDockerRegistry();
    const repository = `${registry.host}/web`;
    const [one, two] = VERSIONS.map(
      (version) => () => buildImage(docker, serverImage(repository, version, label)),
    );
    if (one === undefined || two === undefined) throw new Error('two versions are needed');
    return new Ground({ label, docker, registry, images: [await one(), await two()] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeByLabel(this.docker, this.label);
    await this.registry[Symbol.asyncDispose]();
  }
}

/** What its server answers. */
export function versionOf({ tag }: PinnedImage): string {
  if (tag === undefined) throw new Error('an image without a tag is none of these');
  return tag;
}

/** The first process hears SIGTERM, and ends; the server goes with it. */
export function serverImage(repository: string, version: string, label: string): ImageOptions {
  const server = `/bin/busybox httpd -f -p ${WEB_PORT} -h /www`;
  const entrypoint = JSON.stringify(['/bin/busybox', 'sh', '-c', `trap 'exit 0' TERM; ${server} & wait`]);
  return {
    repository,
    tag: version,
    version,
    label,
    dockerfile: ['STOPSIGNAL SIGTERM', `ENTRYPOINT ${entrypoint}`, 'CMD []'],
  };
}
