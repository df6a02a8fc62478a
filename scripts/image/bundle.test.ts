import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleProgram } from './bundle.ts';
import { LEFT_OUT } from './left-out.ts';
import { layOutProgram } from './root-folder.ts';

const SLOW_MS = 60_000;

describe('the bundle of the agent', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await bundleProgram('agent');
  }, SLOW_MS);

  it('goes without every file that is to be left out: none has moved to another place', () => {
    expect(bundle.leftOut).toEqual(Object.keys(LEFT_OUT).toSorted());
  });

  it('has none of the libraries that only those need', () => {
    const heavy = /^(?:ssh2|cpu-features|asn1|protobufjs|yargs|thread-stream)$|^@grpc\/|^@protobufjs\//;
    expect(bundle.libraries.filter((name) => heavy.test(name))).toEqual([]);
    expect(bundle.libraries).toEqual(expect.arrayContaining(['dockerode', 'docker-modem', 'zod', 'pino']));
  });

  it('has no letter for which V8 would keep two bytes of each', () => {
    expect(bundle.code.match(/[^\0-\xff]/g)).toBeNull();
  });
});

describe('an agent in a bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swell-bundle-'));
  afterAll(() => rm(folder, { recursive: true }));

  it(
    'says what to do where Docker is to be reached by the SSH client that it goes without',
    async () => {
      const entry = await layOutProgram('agent', folder);
      const child = spawn(process.execPath, [entry], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          DOCKER_HOST: 'ssh://operator@node.example',
          SWELL_REGION: 'eu-west',
          SWELL_NODE: 'n1',
          SWELL_NATS_SERVERS: 'nats://127.0.0.1:1',
          SWELL_STATE_DIR: join(folder, 'state'),
          SWELL_STATUS_HOST: '127.0.0.1',
          SWELL_STATUS_PORT: '0',
        },
      });
      const ended = once(child, 'close');
      for await (const line of createInterface({ input: child.stdout })) {
        const said = JSON.parse(line) as {
          readonly msg: string;
          readonly err?: { readonly message: string };
        };
        if (said.msg !== 'the engine does not answer') continue;
        expect(said.err?.message).toContain('point DOCKER_HOST to tcp:// or to the end of a tunnel (ssh -L)');
        break;
      }
      child.kill('SIGKILL');
      await ended;
      expect.assertions(1);
    },
    SLOW_MS,
  );
});
