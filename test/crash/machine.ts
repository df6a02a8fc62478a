/** A dockerd with the images and networks that its runs share. Each run has a repository of its own, to pull from. */

import { randomUUID } from 'node:crypto';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { buildImage, removeByLabel, TEST_LABEL } from '../support/docker.ts';
import { copyImage, type DockerRegistry } from '../support/docker-registry.ts';
import { IMAGES, type ImageTag } from './flow.ts';

export class Machine implements AsyncDisposable {
  /** The value of {@link TEST_LABEL} on everything that all runs here share. */
  readonly id: string;
  readonly docker: Docker;
  /** For the environment of an agent. */
  readonly dockerHost: string;
  readonly networks: readonly [front: string, back: string];
  readonly #registry: DockerRegistry;
  readonly #images = new Map<ImageTag, PinnedImage>();

  private constructor(docker: Docker, dockerHost: string, registry: DockerRegistry) {
    this.id = `crash-${randomUUID().slice(0, 8)}`;
    this.docker = docker;
    this.dockerHost = dockerHost;
    this.networks = [`${this.id}-front`, `${this.id}-back`];
    this.#registry = registry;
  }

  static async prepare(docker: Docker, dockerHost: string, registry: DockerRegistry): Promise<Machine> {
    const machine = new Machine(docker, dockerHost, registry);
    try {
      for (const Name of machine.networks) {
        await docker.createNetwork({ Name, Driver: 'bridge', Labels: { [TEST_LABEL]: machine.id } });
      }
      for (const tag of IMAGES) await machine.#build(tag);
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
    return machine;
  }

  image(tag: ImageTag): PinnedImage {
    const image = this.#images.get(tag);
    if (image === undefined) throw new Error(`no image ${tag}`);
    return image;
  }

  async imageId(tag: ImageTag): Promise<string> {
    const { repository } = this.image(tag);
    return (await this.docker.getImage(`${repository}:${tag}`).inspect()).Id;
  }

  /** The same image in a repository that nobody here has pulled from yet. */
  async copyTo(repository: string, tag: ImageTag): Promise<PinnedImage> {
    const { digest } = this.image(tag);
    await copyImage(this.#registry, { from: this.id, to: repository, digest });
    return { repository: `${this.#registry.host}/${repository}`, tag, digest };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeByLabel(this.docker, this.id);
  }

  async #build(tag: ImageTag): Promise<void> {
    const behaviour = tag === 'sick' ? 'sick' : 'well';
    const repository = `${this.#registry.host}/${this.id}`;
    this.#images.set(
      tag,
      await buildImage(this.docker, { repository, tag, version: tag, behaviour, label: this.id }),
    );
  }
}
