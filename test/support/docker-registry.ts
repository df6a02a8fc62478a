/** A real registry (distribution, `docker-registry`) of a test's own, in memory, on a port that the kernel chose. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { toolPath } from './tools.ts';

/** The account of {@link DockerRegistryOptions.login} `'basic'`; registries only read bcrypt. */
export const ACCOUNT = {
  username: 'releaser',
  password: 'correct horse',
  bcrypt: '$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2',
} as const;

export interface DockerRegistryOptions {
  /** Where it listens; the loopback where it is missing. */
  readonly address?: string;
  /** Who may come in: everybody, {@link ACCOUNT}, or who brings a token of this service. */
  readonly login?:
    | 'none'
    | 'basic'
    | { readonly realm: string; readonly service: string; readonly certificate: string };
  /** Where it posts its notifications to, and as whom. */
  readonly notify?: { readonly url: string; readonly authorization: string };
}

export interface DockerRegistry extends AsyncDisposable {
  /** `<address>:<port>` */
  readonly host: string;
}

/** Starts a registry and waits until it listens. */
export async function startDockerRegistry({
  address = '127.0.0.1',
  login = 'none',
  notify,
}: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'swell-registry-'));
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { inmemory: {}, maintenance: { uploadpurging: { enabled: false } } },
    http: { addr: `${address}:0` },
    ...(login !== 'none' && { auth: authSection(directory, login) }),
    ...(notify !== undefined && { notifications: { endpoints: [endpoint(notify)] } }),
  };
  // JSON is YAML.
  await writeFile(join(directory, 'config.yml'), JSON.stringify(config));
  await writeFile(join(directory, 'htpasswd'), `${ACCOUNT.username}:${ACCOUNT.bcrypt}\n`);
  if (typeof login === 'object') await writeFile(join(directory, 'certificate.pem'), login.certificate);

  const child = spawn(toolPath('docker-registry'), ['serve', join(directory, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const closed = once(child, 'close');
  return {
    host: await listening(child.stderr),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
      await rm(directory, { recursive: true });
    },
  };
}

function endpoint({ url, authorization }: NonNullable<DockerRegistryOptions['notify']>) {
  const headers = { Authorization: [authorization] };
  return { name: 'swell', url, headers, timeout: '5s', threshold: 3, backoff: '1s' };
}

function authSection(directory: string, login: Exclude<DockerRegistryOptions['login'], 'none' | undefined>) {
  if (login === 'basic') return { htpasswd: { realm: 'swell', path: join(directory, 'htpasswd') } };
  const { realm, service } = login;
  return {
    token: { realm, service, issuer: service, rootcertbundle: join(directory, 'certificate.pem') },
  };
}

async function listening(log: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = [];
  const lines = createInterface({ input: log });
  for await (const line of lines) {
    const host = /listening on ([\d.]+:\d+)/.exec(line)?.[1];
    if (host !== undefined) {
      log.resume();
      return host;
    }
    said.push(line);
  }
  throw new Error(`docker-registry ended before it listened:\n${said.join('\n')}`);
}

/** Puts a manifest (with the blobs that it names) under a tag, as `docker push` would. Returns its digest. */
export async function pushManifest(
  registry: { readonly host: string },
  repository: string,
  tag: string,
  manifest: { readonly mediaType: string; readonly blobs?: readonly string[]; readonly rest: object },
  authorization?: string,
): Promise<string> {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const base = `http://${registry.host}/v2/${repository}`;
  for (const blob of manifest.blobs ?? []) {
    const upload = await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers });
    await expectStatus(upload, 202);
    const location = new URL(upload.headers.get('location') ?? '', base);
    location.searchParams.set('digest', digestOf(blob));
    await expectStatus(await fetch(location, { method: 'PUT', headers, body: blob }), 201);
  }
  const body = JSON.stringify({ schemaVersion: 2, mediaType: manifest.mediaType, ...manifest.rest });
  const put = await fetch(`${base}/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': manifest.mediaType },
    body,
  });
  await expectStatus(put, 201);
  return digestOf(body);
}

/** The smallest image there is: an empty configuration and one layer. */
export async function pushImage(
  registry: { readonly host: string },
  repository: string,
  tag: string,
  content: string,
  authorization?: string,
): Promise<{ readonly digest: string; readonly size: number }> {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const rest = {
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', content)],
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const digest = await pushManifest(
    registry,
    repository,
    tag,
    { mediaType, blobs: [config, content], rest },
    authorization,
  );
  return { digest, size: JSON.stringify({ schemaVersion: 2, mediaType, ...rest }).length };
}

/** Gives an image of one repository to another, under its digest alone; its blobs are mounted, not sent. */
export async function copyImage(
  registry: { readonly host: string },
  { from, to, digest }: { readonly from: string; readonly to: string; readonly digest: string },
): Promise<void> {
  const types = ['vnd.docker.distribution.manifest.v2+json', 'vnd.oci.image.manifest.v1+json'];
  const found = await fetch(`http://${registry.host}/v2/${from}/manifests/${digest}`, {
    headers: { accept: types.map((type) => `application/${type}`).join(', ') },
  });
  const body = await found.text();
  const { mediaType, config, layers } = JSON.parse(body) as Manifest;
  for (const blob of [config, ...layers]) {
    const mount = `mount=${blob.digest}&from=${from}`;
    const mounted = await fetch(`http://${registry.host}/v2/${to}/blobs/uploads/?${mount}`, {
      method: 'POST',
    });
    await expectStatus(mounted, 201);
  }
  const put = await fetch(`http://${registry.host}/v2/${to}/manifests/${digest}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body,
  });
  await expectStatus(put, 201);
}

interface Manifest {
  readonly mediaType: string;
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

function descriptor(mediaType: string, content: string) {
  return { mediaType, size: Buffer.byteLength(content), digest: digestOf(content) };
}

export function digestOf(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

async function expectStatus(response: Response, status: number): Promise<void> {
  const body = await response.text();
  if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${body}`);
}
