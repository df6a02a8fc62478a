/** Gives out tokens that a registry believes: a signed JWT, and the certificate of the key that signed it. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

export interface TokenService extends AsyncDisposable {
  readonly realm: string;
  readonly service: string;
  /** PEM, for the registry's `rootcertbundle`. */
  readonly certificate: string;
  /** How many tokens it has given out. */
  readonly given: () => number;
  /** A token for these actions on a repository, without asking over HTTP. */
  token(repository: string, actions: readonly string[]): string;
}

/** Listens for who may pull: anybody who brings the `Authorization` that is expected. */
export async function startTokenService(expected: string): Promise<TokenService> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const service = 'swell-registry';
  let given = 0;
  const certificate = selfSigned(privateKey, publicKey);
  const token = (repository: string, actions: readonly string[]) =>
    signToken(privateKey, certificate, service, [{ type: 'repository', name: repository, actions }]);
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://token').searchParams;
    const [type, repository, action] = query.get('scope')?.split(':') ?? [];
    const asksToPull = type === 'repository' && repository !== undefined && action === 'pull';
    if (request.headers.authorization !== expected || query.get('service') !== service || !asksToPull) {
      response.writeHead(401).end();
      return;
    }
    given += 1;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token: token(repository, ['pull']), expires_in: 300 }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return {
    realm: `http://127.0.0.1:${address.port}/token`,
    service,
    certificate: pem(certificate),
    given: () => given,
    token,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function signToken(privateKey: KeyObject, certificate: Buffer, service: string, access: readonly object[]) {
  const nowS = Math.floor(Date.now() / 1_000);
  const header = { typ: 'JWT', alg: 'ES256', x5c: [certificate.toString('base64')] };
  const claims = {
    iss: service,
    sub: 'swell',
    aud: service,
    exp: nowS + 300,
    nbf: nowS - 60,
    iat: nowS,
    access,
  };
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** The least X.509 that a registry reads a key from; node:crypto makes none, so here are its few bytes of DER. */
function selfSigned(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const ecdsaWithSha256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'));
  const commonName = der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('swell')));
  const name = der(0x30, der(0x31, commonName));
  const from = der(0x17, Buffer.from('200101000000Z'));
  const to = der(0x17, Buffer.from('491231235959Z'));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(0x30, der(0x02, Buffer.from([1])), ecdsaWithSha256, name, der(0x30, from, to), name, spki);
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  return der(0x30, body, ecdsaWithSha256, signature);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
