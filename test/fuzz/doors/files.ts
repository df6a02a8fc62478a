/** Doors that files come to: an agent's journal, and what `docker login` has left for either program. */

import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerConfigAuth } from '@swell/agent/adapters/docker/registry-auth.ts';
import { FileJournals } from '@swell/agent/adapters/journal.ts';
import { journalSchema } from '@swell/agent/protocol/journal.ts';
import { dockerCredentials } from '@swell/coordinator/adapters/registry-credentials.ts';
import { RegistryError } from '@swell/coordinator/adapters/registry-error.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import * as fc from 'fast-check';
import { bodies } from '../bodies.ts';
import { expectEqual, isPrintable, isRefusal, leavesPrototypesAlone } from '../demands.ts';
import type { Door } from '../door.ts';
import { fromSchema } from '../from-schema.ts';
import { strangeText } from '../strange.ts';

const directory = mkdtempSync(join(tmpdir(), 'swell-fuzz-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const FIELDS = ['mark', 'highest', 'attempt', 'tried', 'said', 'outbox', 'reports'];

/** One that cannot be read is put aside, with its reason; what can be read is what was saved. */
const journalFile: Door = {
  name: 'journal on disk',
  property: fc.asyncProperty(bodies(fromSchema(journalSchema)), async ({ bytes }) => {
    const journals = await FileJournals.open(join(directory, 'journals'));
    await writeFile(join(directory, 'journals', 'web.json'), bytes);
    const { journal, problems } = await journals.load('web');
    const read = decode(bytes, journalSchema, Number.MAX_SAFE_INTEGER);
    if (journal === undefined) {
      isRefusal({ ok: false, problems }, FIELDS);
      const left = await readdir(join(directory, 'journals'));
      if (left.includes('web.json')) throw new Error('an unreadable journal lies where the next one will');
      if (read.ok && bytes.length < 1_000_000) throw new Error('a journal that can be read was put aside');
      return;
    }
    await journals.save('web', journal);
    expectEqual((await journals.load('web')).journal, journal);
  }),
  weight: 20,
};

const account = fc.oneof(
  fc.string().map((text) => ({ auth: Buffer.from(text).toString('base64') })),
  fc.record({ username: fc.string(), password: fc.string() }, { noNullPrototype: true }),
  fc.record({ auth: fc.base64String(), identitytoken: fc.string() }, { noNullPrototype: true }),
);
const REGISTRIES = ['docker.io', 'r.example', 'r.example:5000', 'localhost', '[::1]:5000'] as const;
const dockerConfig = fc.record(
  {
    auths: fc.dictionary(
      fc.constantFrom(...REGISTRIES, 'https://index.docker.io/v1/', 'https://r.example/v1'),
      account,
    ),
    credHelpers: fc.dictionary(
      fc.constantFrom(...REGISTRIES),
      fc.constantFrom('none', 'pass', '../x', 'a b', '\u0000'),
    ),
    credsStore: fc.constantFrom('none', 'desktop', ''),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const helperAnswer = fc.option(
  fc.oneof(
    strangeText,
    fc.constant('{"Username":"u","Secret":"s"}'),
    fc.constantFrom('null', '[]', '{"Username":1}'),
  ),
  { nil: undefined },
);

const agentLogin: Door = {
  name: "an agent's docker login",
  property: fc.asyncProperty(
    bodies(dockerConfig),
    fc.constantFrom(...REGISTRIES),
    helperAnswer,
    async ({ bytes }, registry, answer) => {
      const path = join(directory, 'agent-config.json');
      await writeFile(path, bytes);
      const login = await dockerConfigAuth(path, async () => answer)(registry);
      leavesPrototypesAlone();
      if (login === undefined) return;
      for (const [field, value] of Object.entries(login))
        if (typeof value !== 'string') throw new Error(`${field} is ${JSON.stringify(value)}`);
    },
  ),
  weight: 5,
};

function isFairRefusal(error: unknown): void {
  if (!(error instanceof RegistryError)) throw error;
  if (!isPrintable(error.message)) throw new Error(`it says ${JSON.stringify(error.message)}`);
}

const coordinatorLogin: Door = {
  name: "a coordinator's docker login",
  property: fc.asyncProperty(
    bodies(dockerConfig),
    fc.constantFrom(...REGISTRIES),
    async ({ bytes }, registry) => {
      await writeFile(join(directory, 'config.json'), bytes);
      const store = dockerCredentials({ DOCKER_CONFIG: directory, PATH: join(directory, 'nothing') });
      try {
        const found = await store.find(registry, AbortSignal.timeout(60_000));
        for (const [field, value] of Object.entries(found ?? {}))
          if (typeof value !== 'string') throw new Error(`${field} is ${JSON.stringify(value)}`);
      } catch (error) {
        isFairRefusal(error);
      }
      leavesPrototypesAlone();
    },
  ),
  weight: 20,
};

export const FILE_DOORS: readonly Door[] = [journalFile, agentLogin, coordinatorLogin];
