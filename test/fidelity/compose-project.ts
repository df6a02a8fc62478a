/** One Compose project on the ground of the matrix, driven by the real `docker compose`. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../scripts/setup/run-command.ts';
import { TEST_LABEL } from '../support/docker.ts';
import { toolPath } from '../support/tools.ts';
import { type Ground, SERVICE_LABEL } from './ground.ts';

const TIMEOUT_MS = 240_000;
/** What secrets and configs of the environment say. */
const ENVIRONMENT = { SWELL_TEST_TOKEN: 'secret' };

export class ComposeProject {
  readonly name: string;
  readonly #file: string;

  private constructor(name: string, file: string) {
    this.name = name;
    this.#file = file;
  }

  /**
   * @param services as a Compose file has them; each is joined to Swell under its own name
   * @param others those that are none of Swell's services
   */
  static async write(
    ground: Ground,
    name: string,
    services: Readonly<Record<string, object>>,
    others: Readonly<Record<string, object>> = {},
  ): Promise<ComposeProject> {
    const { folder, network } = ground.place(0);
    const file = join(folder, `${name}.json`);
    // JSON is YAML.
    await writeFile(file, JSON.stringify(composeFile(ground, { services, others }, { folder, network })));
    return new ComposeProject(name, file);
  }

  /** Runs `docker compose <words>`. */
  run(...words: readonly string[]): Promise<string> {
    return runCommand(toolPath('docker-compose'), ['-p', this.name, '-f', this.#file, ...words], {
      timeoutMs: TIMEOUT_MS,
      env: ENVIRONMENT,
    });
  }

  async up(): Promise<void> {
    await this.run('up', '-d', '--quiet-pull', '--timeout', '0');
  }

  /** Takes its containers away. Its networks and volumes go with the ground. */
  async clear(): Promise<void> {
    await this.run('rm', '--stop', '--force', '--volumes');
  }
}

function composeFile(
  { run }: Ground,
  {
    services,
    others,
  }: {
    readonly services: Readonly<Record<string, object>>;
    readonly others: Readonly<Record<string, object>>;
  },
  {
    folder,
    network,
  }: { readonly folder: string; readonly network: (name: 'front' | 'back' | 'six') => string },
): object {
  const external = (name: 'front' | 'back' | 'six') => ({ external: true, name: network(name) });
  const labels = { [TEST_LABEL]: run };
  return {
    services: Object.fromEntries([
      ...Object.entries(services).map(([name, service]) => [name, joined(name, service, labels)]),
      ...Object.entries(others).map(([name, other]) => [name, { stop_grace_period: '0s', ...other, labels }]),
    ]),
    networks: { default: { labels }, front: external('front'), back: external('back'), six: external('six') },
    volumes: { store: { labels } },
    configs: {
      inline: { content: 'of its own\n' },
      variable: { environment: 'SWELL_TEST_TOKEN' },
      filed: { file: `${folder}/text` },
    },
    secrets: { token: { environment: 'SWELL_TEST_TOKEN' }, filed: { file: `${folder}/text` } },
  };
}

function joined(name: string, service: object, labels: Readonly<Record<string, string>>): object {
  const own = 'labels' in service ? (service.labels as object) : {};
  return { stop_grace_period: '0s', ...service, labels: { ...own, ...labels, [SERVICE_LABEL]: name } };
}
