/** Doors that a registry's words come to: its challenge, and whatever else it answers, byte by byte. */

import { createServer, type Server } from 'node:net';
import { createRegistry } from '@swell/shared/adapters/registry.ts';
import { parseChallenges } from '@swell/shared/adapters/registry-challenge.ts';
import { RegistryError } from '@swell/shared/adapters/registry-error.ts';
import { DIGEST_PATTERN } from '@swell/shared/domain/image.ts';
import * as fc from 'fast-check';
import { bodies } from '../bodies.ts';
import { expectEqual, isPlain, isPrintable, leavesPrototypesAlone, promptly } from '../demands.ts';
import type { Door } from '../door.ts';
import { strangeText } from '../strange.ts';

const MESSAGE_MAX = 1_000;
const DAY_MS = 86_400_000;

const anyParameter = fc
  .tuple(
    fc.constantFrom('realm', 'service', 'scope', '__proto__', 'constructor', 'Realm', '', 'a b'),
    fc.constantFrom('=', ' = ', '', '=='),
    fc.oneof(
      strangeText,
      strangeText.map((text) => `"${text}"`),
      fc.constantFrom('"', '"\\', '"\\""', 'x', '""'),
    ),
  )
  .map((parts) => parts.join(''));
const anyChallenge = fc
  .array(fc.oneof(fc.constantFrom('Bearer', 'Basic', 'Negotiate', 'bearer ', ',', ' ', '\t'), anyParameter), {
    maxLength: 8,
  })
  .chain((parts) => fc.constantFrom(',', ' ', ', ', '').map((between) => parts.join(between)));

const challenge: Door = {
  name: 'challenge of a registry',
  property: fc.property(anyChallenge, (header) => {
    const challenges = promptly(() => parseChallenges(header));
    leavesPrototypesAlone();
    for (const { scheme, parameters } of challenges) {
      expectEqual(scheme, scheme.toLowerCase());
      isPlain(parameters);
    }
  }),
};

/** Answers every question with the same bytes, whatever it was. */
class Parrot {
  #words: Buffer = Buffer.alloc(0);
  #server: Server | undefined;

  async says(words: (port: number) => Buffer): Promise<number> {
    this.#server ??= await listening((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(this.#words));
    });
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#words = words(port);
    return port;
  }
}

function listening(onConnection: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer({}, onConnection).unref();
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  return promise;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DIGEST = `sha256:${'7'.repeat(64)}`;
/** Never to another machine: what a test asks, it asks of itself. */
const PLACES = [
  '/v2/other',
  'http://HERE/x',
  'https://HERE/x',
  'ftp://HERE/',
  'http://',
  '//',
  ':',
  '',
  '\u00ff',
  'x'.repeat(9_000),
];

const anyHeader = fc.oneof(
  fc.tuple(fc.constant('content-type'), fc.constantFrom(MANIFEST, 'text/html', '', ';', 'x'.repeat(5_000))),
  fc.tuple(
    fc.constant('docker-content-digest'),
    fc.constantFrom(DIGEST, 'sha256:x', '', 'md5:1', '\u00ff', DIGEST.repeat(40)),
  ),
  fc.tuple(
    fc.constant('www-authenticate'),
    fc.oneof(
      anyChallenge,
      fc.constantFrom(...PLACES).map((place) => `Bearer realm="${place}",service="s"`),
      fc.constant('Basic realm="x"'),
    ),
  ),
  fc.tuple(fc.constant('location'), fc.constantFrom(...PLACES)),
  fc.tuple(
    fc.constant('retry-after'),
    fc.constantFrom('5', '-1', '1e9', 'Thu, 01 Jan 1970', 'soon', '9'.repeat(400)),
  ),
  fc.tuple(
    fc.constantFrom('content-length', 'transfer-encoding', 'content-encoding'),
    fc.constantFrom('0', '99999', 'chunked', 'gzip'),
  ),
);
const token = fc.record(
  { token: fc.string(), expires_in: fc.integer() },
  { requiredKeys: [], noNullPrototype: true },
);

const anyAnswer = fc.record({
  status: fc.constantFrom(200, 200, 301, 307, 401, 401, 403, 404, 405, 418, 429, 500, 503, 999, 99),
  headers: fc.array(anyHeader, { maxLength: 5 }),
  body: bodies(fc.oneof(token, fc.constant({ errors: [{ message: '\u001b[2J' }] }))),
  cut: fc.option(fc.nat(3_000)),
});
type AnyAnswer = typeof anyAnswer extends fc.Arbitrary<infer Value> ? Value : never;

function onTheWire({ status, headers, body, cut }: AnyAnswer, port: number): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value.replaceAll('HERE', `127.0.0.1:${port}`)}`);
  const head = [
    `HTTP/1.1 ${status} X`,
    ...lines.map((line) => line.replaceAll(/[\r\n]/g, ' ')),
    'connection: close',
  ];
  const whole = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body.bytes]);
  return cut === null ? whole : whole.subarray(0, cut);
}

function isFairRefusal(error: unknown): void {
  if (!(error instanceof RegistryError)) throw error;
  const { message, retryAfterMs = 0 } = error;
  if (!isPrintable(message) || message.length > MESSAGE_MAX)
    throw new Error(`it says ${JSON.stringify(message)}`);
  if (!(retryAfterMs >= 0 && retryAfterMs <= DAY_MS)) throw new Error(`it waits ${retryAfterMs} ms`);
}

const parrot = new Parrot();

const answer: Door = {
  name: 'answer of a registry',
  property: fc.asyncProperty(anyAnswer, fc.boolean(), async (words, hasLogin) => {
    const port = await parrot.says((here) => onTheWire(words, here));
    const login = { kind: 'password', username: 'u', password: 'p' } as const;
    const registry = createRegistry({
      credentials: { place: 'here', find: async () => (hasLogin ? login : undefined) },
      timeoutMs: 5_000,
    });
    try {
      const digest = await registry.resolve(
        { repository: `127.0.0.1:${port}/web`, tag: 'v1' },
        AbortSignal.timeout(60_000),
      );
      if (!DIGEST_PATTERN.test(digest)) throw new Error(`a digest ${digest}`);
    } catch (error) {
      isFairRefusal(error);
    }
    leavesPrototypesAlone();
  }),
  weight: 20,
};

export const REGISTRY_DOORS: readonly Door[] = [challenge, answer];
