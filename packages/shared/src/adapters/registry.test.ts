/** Registries that answer oddly. What a real one answers is in test/integration/registry.test.ts. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { ImageReference } from '../domain/image.ts';
import { createRegistry, type RegistryOptions, registryOrigin } from './registry.ts';
import type { CredentialStore, Credentials } from './registry-credentials.ts';
import type { RegistryError } from './registry-error.ts';
import { redirectTarget } from './registry-http.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const BODY = '{"schemaVersion":2,"manifests":[]}';
const DIGEST = `sha256:${createHash('sha256').update(BODY).digest('hex')}`;
const OTHER = `sha256:${'0'.repeat(64)}`;
const never = new AbortController().signal;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers as told and remembers what it was asked. */
async function serve(answer: Answer) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return { host, asked };
}

const manifest: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': INDEX, 'docker-content-digest': DIGEST }).end();
};

function anonymous(): CredentialStore {
  return { place: 'config.json', find: async () => undefined };
}

function knowing(credentials: Credentials): CredentialStore {
  return { place: 'config.json', find: async () => credentials };
}

function web(host: string, rest: Partial<ImageReference> = { tag: 'v1' }): ImageReference {
  return { repository: `${host}/team/web`, ...rest };
}

function registry(options: RegistryOptions = {}) {
  return createRegistry({ credentials: anonymous(), ...options });
}

async function failed(resolving: Promise<unknown>): Promise<RegistryError> {
  return resolving.then(
    (digest) => expect.fail(`it should have failed, not given ${String(digest)}`),
    (error: RegistryError) => error,
  );
}

async function failure(answer: Answer, options: RegistryOptions = {}, image?: Partial<ImageReference>) {
  const { host } = await serve(answer);
  const error = await failed(registry(options).resolve(web(host, image), never));
  const { code, retryable, retryAfterMs } = error;
  return { code, retryable, retryAfterMs, message: error.message.replaceAll(host, 'HOST') };
}

test('a tag is resolved by one HEAD that accepts all four kinds of manifest', async () => {
  let accept = '';
  const { host, asked } = await serve((request, response) => {
    accept = request.headers.accept ?? '';
    manifest(request, response);
  });
  expect(await registry().resolve(web(host), never)).toBe(DIGEST);
  expect(asked).toEqual(['HEAD /v2/team/web/manifests/v1 -']);
  expect(accept.split(', ').sort()).toEqual([
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
  ]);
});

test('no tag means latest; a digest goes before a tag', async () => {
  const { host, asked } = await serve(manifest);
  await registry().resolve(web(host, {}), never);
  await registry().resolve(web(host, { tag: 'v1', digest: DIGEST }), never);
  expect(asked).toEqual(['HEAD /v2/team/web/manifests/latest -', `HEAD /v2/team/web/manifests/${DIGEST} -`]);
});

test.each([
  ['drops the header', 200],
  ['does not answer HEAD', 405],
])('where a registry %s, the bytes tell the digest', async (_, headStatus) => {
  const { host, asked } = await serve((request, response) => {
    response.writeHead(request.method === 'HEAD' ? headStatus : 200, { 'content-type': INDEX });
    response.end(request.method === 'HEAD' ? undefined : BODY);
  });
  expect(await registry().resolve(web(host), never)).toBe(DIGEST);
  expect(asked).toEqual(['HEAD /v2/team/web/manifests/v1 -', 'GET /v2/team/web/manifests/v1 -']);
});

test('a login page with status 200 is no manifest', async () => {
  const answer: Answer = (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
  expect(await failure(answer)).toMatchObject({
    code: 'bad-answer',
    message: expect.stringContaining(
      'HOST answers with text/html, which is no manifest of an image',
    ) as unknown,
  });
});

test('a registry that gives another image than the digest asked for is not believed', async () => {
  expect(await failure(manifest, {}, { digest: OTHER })).toEqual({
    code: 'bad-answer',
    retryable: false,
    retryAfterMs: undefined,
    message: `cannot resolve HOST/team/web@${OTHER}: the registry gives ${DIGEST} for ${OTHER}: do not trust it`,
  });
  const lying: Answer = (request, response) => {
    const header = request.method === 'HEAD' ? {} : { 'docker-content-digest': OTHER };
    response.writeHead(200, { 'content-type': INDEX, ...header }).end(request.method === 'HEAD' ? '' : BODY);
  };
  expect((await failure(lying)).code).toBe('bad-answer');
});

test('a missing tag is not found, and not worth another try', async () => {
  expect(await failure((_, response) => response.writeHead(404).end())).toEqual({
    code: 'not-found',
    retryable: false,
    retryAfterMs: undefined,
    message: 'cannot resolve HOST/team/web:v1: HOST has no such tag or digest; push it, or check the name',
  });
});

test('429 is worth another try when the registry says', async () => {
  const after = (value: string): Answer => {
    return (_, response) => response.writeHead(429, { 'retry-after': value }).end();
  };
  expect(await failure(after('7'))).toEqual({
    code: 'rate-limited',
    retryable: true,
    retryAfterMs: 7_000,
    message: 'cannot resolve HOST/team/web:v1: HOST answers 429: too many requests; it is left alone for 7 s',
  });
  const clock = { monotonicMs: () => 0, wallMs: () => Date.parse('2026-01-01T00:00:00Z') };
  expect(await failure(after('Thu, 01 Jan 2026 00:01:30 GMT'), { clock })).toMatchObject({
    retryAfterMs: 90_000,
  });
  expect(await failure(after('soon'))).toMatchObject({ code: 'rate-limited', retryAfterMs: undefined });
  // A release that waits for ever has been lost.
  expect(await failure(after('9'.repeat(400)))).toMatchObject({ retryAfterMs: 86_400_000 });
  expect(await failure(after('Thu, 01 Jan 2099 00:00:00 GMT'))).toMatchObject({ retryAfterMs: 86_400_000 });
});

/** As Docker Hub counts: so many of a hundred in six hours are left. */
const counted = (remaining: number) => ({
  'ratelimit-limit': '100;w=21600',
  'ratelimit-remaining': `${remaining};w=21600`,
});

test('whoever looks hears for how long he is to stay away once all that is allowed is used up', async () => {
  const left = { remaining: 1 };
  const { host } = await serve((_, response) =>
    response
      .writeHead(200, {
        'content-type': INDEX,
        'docker-content-digest': DIGEST,
        ...counted(left.remaining),
      })
      .end(),
  );
  expect(await registry().look(web(host), never)).toEqual({ digest: DIGEST });
  left.remaining = 0;
  expect(await registry().look(web(host), never)).toEqual({ digest: DIGEST, restMs: 216_000 });
});

test('429 without a time is over once the count frees a place', async () => {
  const answer: Answer = (_, response) => response.writeHead(429, counted(0)).end();
  expect(await failure(answer)).toMatchObject({ code: 'rate-limited', retryAfterMs: 216_000 });
  const odd: Answer = (_, response) => response.writeHead(429, { 'ratelimit-remaining': 'none' }).end();
  expect(await failure(odd)).toMatchObject({ code: 'rate-limited', retryAfterMs: undefined });
});

test.each([
  [500, 'unavailable', true],
  [503, 'unavailable', true],
  [403, 'unauthorized', false],
  [400, 'bad-answer', false],
  [204, 'bad-answer', false],
] as const)('status %i is %s', async (status, code, retryable) => {
  expect(await failure((_, response) => response.writeHead(status).end())).toMatchObject({ code, retryable });
});

test('a connection that breaks, one that is refused and one that is silent are worth another try', async () => {
  const broken = await failure((request) => request.socket.destroy());
  expect(broken).toMatchObject({ code: 'unavailable', retryable: true });
  expect(await failure(() => {}, { timeoutMs: 50 })).toMatchObject({
    code: 'unavailable',
    message: 'cannot resolve HOST/team/web:v1: HOST did not answer within 50 ms',
  });
  const closed = createServer();
  await once(closed.listen(0, '127.0.0.1'), 'listening');
  const address = closed.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => closed.close(resolve));
  expect((await failed(registry().resolve(web(`127.0.0.1:${port}`), never))).message).toMatch(
    /cannot be reached \(.*ECONNREFUSED/,
  );
});

test("the caller's abort comes through as it is", async () => {
  const controller = new AbortController();
  const { host } = await serve(() => controller.abort(new Error('stopping')));
  await expect(registry().resolve(web(host), controller.signal)).rejects.toThrow('stopping');
});

test('a name that is no address is an answer, not a crash', async () => {
  expect((await failed(registry().resolve(web('registry.example:99999'), never))).code).toBe('not-found');
});

/** A registry behind a token service, the two of them one server. */
async function bearer(options: {
  readonly token: Answer;
  readonly accepts: string;
  readonly realm?: string;
}) {
  const served = await serve((request, response) => {
    if (request.url?.startsWith('/token') === true) return options.token(request, response);
    if (request.headers.authorization === options.accepts) return manifest(request, response);
    const realm = options.realm ?? `http://${request.headers.host}/token?tenant=1`;
    const challenge = `Bearer realm="${realm}",service="the registry",scope="repository:team/web:pull"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  return served;
}

function tokens(answer: object): Answer {
  return (_, response) => response.writeHead(200).end(JSON.stringify(answer));
}

const TOKEN_QUERY = 'tenant=1&service=the+registry&scope=repository%3Ateam%2Fweb%3Apull';

test('a token is fetched once and used until shortly before it ends', async () => {
  let nowMs = 0;
  const { host, asked } = await bearer({
    token: tokens({ token: 'T', expires_in: 100 }),
    accepts: 'Bearer T',
  });
  const asking = registry({ clock: { monotonicMs: () => nowMs, wallMs: () => 0 } });
  const resolveAt = async (ms: number) => {
    nowMs = ms;
    asked.length = 0;
    expect(await asking.resolve(web(host), never)).toBe(DIGEST);
    return [...asked];
  };
  const head = 'HEAD /v2/team/web/manifests/v1';
  const whole = [`${head} -`, `GET /token?${TOKEN_QUERY} -`, `${head} Bearer T`];
  expect(await resolveAt(0)).toEqual(whole);
  expect(await resolveAt(89_999)).toEqual([`${head} Bearer T`]);
  expect(await resolveAt(90_000)).toEqual(whole);
});

test('a token that the registry stopped taking is fetched anew', async () => {
  const server = { token: 'T1' };
  const { host, asked } = await serve((request, response) => {
    if (request.url?.startsWith('/token') === true)
      return tokens({ access_token: server.token })(request, response);
    if (request.headers.authorization === `Bearer ${server.token}`) return manifest(request, response);
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` })
      .end();
  });
  const asking = registry();
  await asking.resolve(web(host), never);
  server.token = 'T2';
  asked.length = 0;
  expect(await asking.resolve(web(host), never)).toBe(DIGEST);
  expect(asked).toEqual([
    'HEAD /v2/team/web/manifests/v1 Bearer T1',
    'GET /token?scope=repository%3Ateam%2Fweb%3Apull -',
    'HEAD /v2/team/web/manifests/v1 Bearer T2',
  ]);
});

test('the token service hears who asks: a password by GET, an identity token by OAuth', async () => {
  const password = { kind: 'password', username: 'ann', password: 'pw' } as const;
  const login = await bearer({ token: tokens({ token: 'T' }), accepts: 'Bearer T' });
  await registry({ credentials: knowing(password) }).resolve(web(login.host), never);
  expect(login.asked[1]).toBe(`GET /token?${TOKEN_QUERY}&account=ann Basic ${btoa('ann:pw')}`);

  let form = '';
  const exchange = await bearer({
    token: (request, response) => {
      request.on('data', (bytes: Buffer) => {
        form += bytes.toString();
      });
      request.on('end', () => response.end(JSON.stringify({ access_token: 'T' })));
    },
    accepts: 'Bearer T',
  });
  const identity = { kind: 'identity-token', token: 'refresh' } as const;
  await registry({ credentials: knowing(identity) }).resolve(web(exchange.host), never);
  expect(exchange.asked[1]).toBe('POST /token?tenant=1 -');
  expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
    grant_type: 'refresh_token',
    refresh_token: 'refresh',
    client_id: 'swell',
    service: 'the registry',
    scope: 'repository:team/web:pull',
  });
});

test('a registry that takes no token ever is asked twice, not for ever', async () => {
  const { host, asked } = await bearer({ token: tokens({ token: 'T' }), accepts: 'nothing' });
  const error = await failed(registry().resolve(web(host), never));
  expect(error.code).toBe('unauthorized');
  expect(error.message).toContain(
    `check the name, and put credentials for ${host} that may pull it into config.json (docker login)`,
  );
  expect(asked).toHaveLength(3);
});

test.each([
  ['refuses', (_, response) => response.writeHead(401).end(), 'unauthorized'],
  ['limits the rate', (_, response) => response.writeHead(429, { 'retry-after': '3' }).end(), 'rate-limited'],
  ['is down', (_, response) => response.writeHead(502).end(), 'unavailable'],
  ['forgets the token', tokens({ expires_in: 3 }), 'bad-answer'],
  ['speaks no JSON', (_, response) => response.end('<html>'), 'bad-answer'],
  [
    'redirects in a circle',
    (_, response) => response.writeHead(302, { location: '/token' }).end(),
    'bad-answer',
  ],
] as const satisfies [string, Answer, string][])('a token service that %s', async (_, token, code) => {
  const { host } = await bearer({ token, accepts: 'nothing' });
  expect((await failed(registry().resolve(web(host), never))).code).toBe(code);
});

test('a token is not fetched from where no credentials may go', async () => {
  for (const realm of ['ftp://127.0.0.1/token', '', '/token']) {
    const { host } = await bearer({ token: tokens({ token: 'T' }), accepts: 'Bearer T', realm });
    expect((await failed(registry().resolve(web(host), never))).code).toBe('bad-answer');
  }
});

test('Basic is answered with the account, and remembered', async () => {
  const accepts = `Basic ${btoa('ann:pw')}`;
  const { host, asked } = await serve((request, response) => {
    if (request.headers.authorization === accepts) return manifest(request, response);
    response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
  });
  const asking = registry({ credentials: knowing({ kind: 'password', username: 'ann', password: 'pw' }) });
  await asking.resolve(web(host), never);
  await asking.resolve(web(host), never);
  const head = 'HEAD /v2/team/web/manifests/v1';
  expect(asked).toEqual([`${head} -`, `${head} ${accepts}`, `${head} ${accepts}`]);
  expect((await failed(registry().resolve(web(host), never))).code).toBe('unauthorized');
});

test('a login of a kind that we do not know is a bad answer', async () => {
  const answer: Answer = (_, response) => response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end();
  expect((await failure(answer)).code).toBe('bad-answer');
  expect((await failure((_, response) => response.writeHead(401).end())).code).toBe('bad-answer');
});

test('a redirect is followed, and who we are stays behind', async () => {
  const storage = await serve(manifest);
  const accepts = `Basic ${btoa('ann:pw')}`;
  const { host } = await serve((request, response) => {
    if (request.headers.authorization !== accepts) {
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    } else {
      response.writeHead(307, { location: `http://${storage.host}/blob` }).end();
    }
  });
  const asking = registry({ credentials: knowing({ kind: 'password', username: 'ann', password: 'pw' }) });
  expect(await asking.resolve(web(host), never)).toBe(DIGEST);
  expect(storage.asked).toEqual(['HEAD /blob -']);
});

test('a redirect in a circle ends', async () => {
  const answer: Answer = (_, response) => response.writeHead(302, { location: '/again' }).end();
  expect(await failure(answer)).toMatchObject({
    code: 'bad-answer',
    message: 'cannot resolve HOST/team/web:v1: HOST redirects more than 5 times',
  });
});

test('a redirect never gives up TLS', () => {
  const to = (from: string, location: string) => redirectTarget(new URL(from), location)?.href;
  expect(to('https://a/v2/', '/x')).toBe('https://a/x');
  expect(to('https://a/v2/', 'https://b/x')).toBe('https://b/x');
  expect(to('https://a/v2/', 'http://b/x')).toBeUndefined();
  expect(to('http://a/v2/', 'http://b/x')).toBe('http://b/x');
  expect(to('http://a/v2/', 'file:///etc/passwd')).toBeUndefined();
  expect(to('https://a/', 'https://')).toBeUndefined();
});

test('plain HTTP is for this machine and for what an operator listed', () => {
  const origins = ['docker.io', 'ghcr.io', 'localhost', 'localhost:5000', '127.0.0.1:5000', '[::1]:5000']
    .concat(['localhost.example', 'lan.example', 'lan.example:5000', 'port.example', 'port.example:5000'])
    .map((name) => registryOrigin(name, ['lan.example', 'port.example:5000']));
  expect(origins).toEqual([
    'https://registry-1.docker.io',
    'https://ghcr.io',
    'http://localhost',
    'http://localhost:5000',
    'http://127.0.0.1:5000',
    'http://[::1]:5000',
    'https://localhost.example',
    'http://lan.example',
    'http://lan.example:5000',
    'https://port.example',
    'http://port.example:5000',
  ]);
});

test('an answer without end is cut off', async () => {
  const answer: Answer = (request, response) => {
    response.writeHead(200, { 'content-type': INDEX });
    const more = () => response.write('x'.repeat(65_536));
    if (request.method === 'HEAD') {
      response.end();
    } else {
      response.on('drain', more);
      more();
    }
  };
  expect((await failure(answer)).code).toBe('bad-answer');
});
