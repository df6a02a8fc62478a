/** Doors that files come to: an agent's journal, its node's lease, and what `docker login` has left for either program. */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerConfigAuth } from '@swell/agent/adapters/docker/images/registry-auth.ts';
import { FileJournals } from '@swell/agent/adapters/journal.ts';
import { LeaseFiles } from '@swell/agent/adapters/lease-files.ts';
import { journalSchema } from '@swell/agent/protocol/journal.ts';
import { nodeLeaseSchema } from '@swell/agent/protocol/node-lease.ts';
import { dockerCredentials } from '@swell/shared/adapters/registry-credentials.ts';
import { RegistryError } from '@swell/shared/adapters/registry-error.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import * as fc from 'fast-check';
import { bodies } from '../bodies.ts';
import { expectEqual, isPrintable, isRefusal, leavesPrototypesAlone } from '../demands.ts';
import type { Door } from '../door.ts';
import { fromSchema } from '../from-schema.ts';
import { strangeText } from '../strange.ts';

async function inFolder(look: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'swell-fuzz-'));
  try {
    await look(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const FIELDS = Object.keys(journalSchema.in.shape);

/** One that cannot be read is put aside, with its reason; what can be read is what was saved. */
const journalFile: Door = {
  name: 'journal on disk',
  property: fc.asyncProperty(bodies(fromSchema(journalSchema)), ({ bytes }) =>
    inFolder(async (folder) => {
      const journals = await FileJournals.open(folder);
      await writeFile(join(folder, 'web.json'), bytes);
      const { journal, problems } = await journals.load('web');
      const read = decode(bytes, journalSchema, Number.MAX_SAFE_INTEGER);
      if (journal === undefined) {
        isRefusal({ ok: false, problems }, FIELDS);
        expectEqual(await readdir(folder), ['web.json.unreadable']);
        if (read.ok && bytes.length < 1_000_000) throw new Error('a journal that can be read was put aside');
        return;
      }
      await journals.save('web', journal);
      expectEqual((await journals.load('web')).journal, journal);
    }),
  ),
  weight: 20,
};

/** What nobody can read has its term all the same; the next one is to be had, and what it says is read as it was written. */
const leaseFile: Door = {
  name: "a node's lease on disk",
  property: fc.asyncProperty(bodies(fromSchema(nodeLeaseSchema)), ({ bytes }) =>
    inFolder(async (folder) => {
      const files = await LeaseFiles.open(folder, 'me');
      await writeFile(join(folder, 'lease', '5'), bytes);
      await writeFile(join(folder, 'lease', 'standby.other'), bytes);
      const found = decode(bytes, nodeLeaseSchema);
      expectEqual(await files.read(), { term: 5, ...(found.ok ? found.value : { renewals: 0 }) });
      const word = await files.standbyWord('other');
      if (word !== undefined && typeof word.ready !== 'boolean') throw new Error('a word without a meaning');
      const next = { term: 6, holder: { container: 'me' }, renewals: 0 };
      if (!(await files.take(next))) throw new Error('the next term is not to be had');
      expectEqual(await files.read(), next);
      leavesPrototypesAlone();
    }),
  ),
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

function holdsTexts(login: object | undefined): void {
  for (const [field, value] of Object.entries(login ?? {}))
    if (typeof value !== 'string') throw new Error(`${field} is ${JSON.stringify(value)}`);
}

const agentLogin: Door = {
  name: "an agent's docker login",
  property: fc.asyncProperty(
    bodies(dockerConfig),
    fc.constantFrom(...REGISTRIES),
    helperAnswer,
    ({ bytes }, registry, answer) =>
      inFolder(async (folder) => {
        const path = join(folder, 'config.json');
        await writeFile(path, bytes);
        holdsTexts(await dockerConfigAuth(path, async () => answer)(registry));
        leavesPrototypesAlone();
      }),
  ),
  weight: 5,
};

function isFairRefusal(error: unknown): void {
  if (!(error instanceof RegistryError)) throw error;
  if (!isPrintable(error.message)) throw new Error(`it says ${JSON.stringify(error.message)}`);
}

const coordinatorLogin: Door = {
  name: "a coordinator's docker login",
  property: fc.asyncProperty(bodies(dockerConfig), fc.constantFrom(...REGISTRIES), ({ bytes }, registry) =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'config.json'), bytes);
      const store = dockerCredentials({ DOCKER_CONFIG: folder, PATH: join(folder, 'nothing') });
      await store.find(registry, AbortSignal.timeout(60_000)).then(holdsTexts, isFairRefusal);
      leavesPrototypesAlone();
    }),
  ),
  weight: 20,
};

export const FILE_DOORS: readonly Door[] = [journalFile, leaseFile, agentLogin, coordinatorLogin];
