import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CredentialHelper, dockerConfigAuth } from './registry-auth.ts';

const AUTH = Buffer.from('me:a:secret').toString('base64');
const noHelper: CredentialHelper = async () => undefined;

describe('who we are to a registry', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swell-auth-'));
    path = join(folder, 'config.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    ['registry.example:5000', 'registry.example:5000', 'registry.example:5000'],
    ['https://registry.example/v2/', 'registry.example', 'registry.example'],
    ['https://index.docker.io/v1/', 'docker.io', 'https://index.docker.io/v1/'],
  ])('stands under %s', async (key, registry, serveraddress) => {
    await writeFile(path, JSON.stringify({ auths: { [key]: { auth: AUTH } } }));
    expect(await dockerConfigAuth(path, noHelper)(registry)).toEqual({
      username: 'me',
      password: 'a:secret',
      serveraddress,
    });
    expect(await dockerConfigAuth(path, noHelper)('other.example')).toBeUndefined();
  });

  it('is asked of the helper of that registry, else of the store, else of the file', async () => {
    const config = {
      auths: { 'file.example': { auth: AUTH } },
      credsStore: 'store',
      credHelpers: { 'cloud.example': 'cloud' },
    };
    await writeFile(path, JSON.stringify(config));
    const asked: string[] = [];
    const auth = dockerConfigAuth(path, async (helper, server) => {
      asked.push(`${helper} ${server}`);
      if (helper === 'cloud') return JSON.stringify({ Username: 'AWS', Secret: 'x' });
      return server === 'token.example' ? JSON.stringify({ Username: '<token>', Secret: 't' }) : undefined;
    });
    expect(await auth('cloud.example')).toEqual({
      username: 'AWS',
      password: 'x',
      serveraddress: 'cloud.example',
    });
    expect(await auth('token.example')).toEqual({ identitytoken: 't', serveraddress: 'token.example' });
    expect(await auth('file.example')).toMatchObject({ username: 'me' });
    expect(asked).toEqual(['cloud cloud.example', 'store token.example', 'store file.example']);
  });

  it('may be another one for each part of a registry', async () => {
    const [team, web] = ['team', 'web'].map((name) => Buffer.from(`${name}:x`).toString('base64'));
    const auths = {
      'registry.example': { auth: AUTH },
      'registry.example/team': { auth: team },
      'registry.example/team/web': { auth: web },
      'other.example/team': { auth: team },
    };
    await writeFile(path, JSON.stringify({ auths }));
    const auth = dockerConfigAuth(path, noHelper);
    const serveraddress = 'registry.example';
    expect(await auth('registry.example/team/web')).toEqual({
      username: 'web',
      password: 'x',
      serveraddress,
    });
    expect(await auth('registry.example/team/db')).toEqual({
      username: 'team',
      password: 'x',
      serveraddress,
    });
    expect(await auth('registry.example/web')).toEqual({
      username: 'me',
      password: 'a:secret',
      serveraddress,
    });
    // Nobody is somebody else's neighbour.
    expect(await auth('other.example/web')).toBeUndefined();
  });

  it('is asked of the helper of that part of a registry by its name there', async () => {
    await writeFile(
      path,
      JSON.stringify({ credHelpers: { 'cloud.example/team': 'cloud' }, credsStore: 'store' }),
    );
    const asked: string[] = [];
    const auth = dockerConfigAuth(path, async (helper, server) => {
      asked.push(`${helper} ${server}`);
      return JSON.stringify({ Username: 'AWS', Secret: 'x' });
    });
    expect(await auth('cloud.example/team/web')).toMatchObject({ serveraddress: 'cloud.example' });
    await auth('cloud.example/web');
    expect(asked).toEqual(['cloud cloud.example/team', 'store cloud.example']);
  });

  it('is nobody where the file is missing or broken', async () => {
    expect(await dockerConfigAuth(path, noHelper)('registry.example')).toBeUndefined();
    await writeFile(path, '{');
    expect(await dockerConfigAuth(path, noHelper)('registry.example')).toBeUndefined();
  });

  it.each([
    ['no list of accounts', { auths: null }],
    ['an account that is none', { auths: { 'registry.example': null } }],
    ['a password that is no text', { auths: { 'registry.example': { auth: { a: 1 } } } }],
    [
      'a helper that is no program',
      { credHelpers: { 'registry.example': '../evil' }, credsStore: 'a\u0000b' },
    ],
    ['a helper that is no text', { credHelpers: { 'registry.example': {} }, credsStore: [] }],
  ])('is nobody where the file holds %s, and nothing is run or thrown', async (_, config) => {
    await writeFile(path, JSON.stringify(config));
    const refuse: CredentialHelper = (helper) => Promise.reject(new Error(`${helper} was run`));
    expect(await dockerConfigAuth(path, refuse)('registry.example')).toBeUndefined();
    // A registry's name may be what every object has.
    expect(await dockerConfigAuth(path, refuse)('toString')).toBeUndefined();
  });

  it('is who it is whatever is broken beside it', async () => {
    await writeFile(path, JSON.stringify({ auths: { a: 7, 'b.example': { auth: AUTH, identitytoken: 5 } } }));
    expect(await dockerConfigAuth(path, noHelper)('b.example')).toMatchObject({ username: 'me' });
  });
});
