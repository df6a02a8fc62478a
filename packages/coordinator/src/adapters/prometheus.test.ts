import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { OWN_CERTIFICATE, OWN_KEY } from '../../../../test/support/own-authority.ts';
import { HttpPrometheus, type PrometheusOptions, type QueryAnswer } from './prometheus.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Asks a server that answers so. */
async function asked(
  answer: Answer,
  options: Partial<PrometheusOptions> = {},
  scheme: 'http' | 'https' = 'http',
): Promise<QueryAnswer> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void text(request).then((body) => answer(request, response, body));
  };
  const server =
    scheme === 'http'
      ? createServer(listener)
      : createTlsServer({ cert: OWN_CERTIFICATE, key: OWN_KEY }, listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const prometheus = new HttpPrometheus({ url: `${scheme}://127.0.0.1:${port}/prometheus/`, ...options });
  return prometheus.query('up{a="b"}', new AbortController().signal);
}

/** As Prometheus says it. */
function saying(data: unknown, status = 200): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'success', data }));
  };
}

function vector(...values: readonly string[]): unknown {
  return { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1.5, value] })) };
}

test('a query is posted as a form, below whatever path Prometheus has', async () => {
  const seen: unknown[] = [];
  const answer = await asked((request, response, body) => {
    seen.push(request.method, request.url, new URLSearchParams(body).get('query'));
    saying(vector('0.25'))(request, response, body);
  });
  expect(answer).toEqual({ is: 'value', value: 0.25 });
  expect(seen).toEqual(['POST', '/prometheus/api/v1/query', 'up{a="b"}']);
});

test('one sample is a number, and so is a scalar', async () => {
  expect(await asked(saying(vector('1e-3')))).toEqual({ is: 'value', value: 0.001 });
  expect(await asked(saying({ resultType: 'scalar', result: [1, '7'] }))).toEqual({ is: 'value', value: 7 });
  expect(await asked(saying(vector('+Inf')))).toEqual({ is: 'value', value: Number.POSITIVE_INFINITY });
  expect(await asked(saying(vector('NaN')))).toEqual({ is: 'value', value: Number.NaN });
  expect(await asked(saying(vector('')))).toEqual({ is: 'value', value: Number.NaN });
});

test.each([
  ['no sample', saying(vector()), 'no data'],
  ['several samples', saying(vector('1', '2')), '2 samples, where one is wanted: aggregate them'],
  [
    'a histogram',
    saying({ resultType: 'vector', result: [{ metric: {}, histogram: [1, {}] }] }),
    'a histogram, where a number is wanted',
  ],
  ['a range', saying({ resultType: 'matrix', result: [] }), 'a matrix, where a number is wanted'],
  ['something else', saying({ hits: [] }), 'Prometheus answers 200, and not what was asked'],
  ['an error of its own', saying(undefined, 503), 'Prometheus answers 503'],
] as const)('N10: %s is no number', async (_, answer, why) => {
  expect(await asked(answer)).toEqual({ is: 'none', why });
});

test('N10: a query that Prometheus refuses says why', async () => {
  const answer: Answer = (_request, response) => {
    response.writeHead(400);
    response.end(
      JSON.stringify({ status: 'error', errorType: 'bad_data', error: 'parse error: unexpected }' }),
    );
  };
  expect(await asked(answer)).toEqual({
    is: 'none',
    why: 'Prometheus answers 400: parse error: unexpected }',
  });
});

test('N10: of a reason without an end some is told: a pause that gives it is remembered', async () => {
  const answer: Answer = (_request, response) => {
    response.writeHead(502);
    response.end(JSON.stringify({ status: 'error', error: 'x'.repeat(500_000) }));
  };
  const { is, why } = (await asked(answer)) as { readonly is: 'none'; readonly why: string };
  expect([is, why.length < 400, why.startsWith('Prometheus answers 502: xxx')]).toEqual(['none', true, true]);
});

test('N10: nobody waits for a Prometheus that does not answer', async () => {
  const answer = await asked(() => {}, { timeoutMs: 50 });
  expect(answer).toMatchObject({ is: 'none', why: expect.stringMatching(/: no answer in 50 ms$/) });
});

test('N10: one that cannot be reached is no answer', async () => {
  const prometheus = new HttpPrometheus({ url: 'http://127.0.0.1:1' });
  const answer = await prometheus.query('up', new AbortController().signal);
  expect(answer).toMatchObject({ is: 'none', why: expect.stringContaining('ECONNREFUSED') });
});

test('a body without an end is not read to its end', async () => {
  const answer = await asked((_request, response) => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write(' '.repeat(65_536), more);
    };
    more();
  });
  expect(answer).toMatchObject({ is: 'none', why: expect.stringContaining('longer than') });
});

test('who asks is read from its file each time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'swell-prometheus-'));
  try {
    const file = join(folder, 'secret');
    const seen: unknown[] = [];
    const answer: Answer = (request, response, body) => {
      seen.push(request.headers.authorization);
      saying(vector('1'))(request, response, body);
    };
    await writeFile(file, 'first\n');
    await asked(answer, { login: { kind: 'token', file } });
    await writeFile(file, 'user:pässword\n');
    await asked(answer, { login: { kind: 'password', file } });
    await rm(file);
    const missing = await asked(answer, { login: { kind: 'token', file } });
    expect(seen).toEqual(['Bearer first', `Basic ${Buffer.from('user:pässword').toString('base64')}`]);
    expect(missing).toMatchObject({ is: 'none', why: expect.stringContaining('ENOENT') });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('N10: one with an authority of its own is believed by whoever was given it, and by nobody else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'swell-prometheus-'));
  try {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, OWN_CERTIFICATE);
    expect(await asked(saying(vector('1')), { caFile }, 'https')).toEqual({ is: 'value', value: 1 });
    expect(await asked(saying(vector('1')), {}, 'https')).toMatchObject({
      is: 'none',
      why: expect.stringMatching(/self-signed certificate.*; name its .* SWELL_PROMETHEUS_TLS_CA$/),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('whoever is no longer interested gets his own reason back', async () => {
  const prometheus = new HttpPrometheus({ url: 'http://127.0.0.1:1' });
  await expect(prometheus.query('up', AbortSignal.abort('over'))).rejects.toBe('over');
});
