import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Docker from 'dockerode';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SwapOrder } from '../../core/container.ts';
import { Dockerd } from './dockerd.ts';
import { type InspectedContainer, ownStopTimeoutMs } from './inspected.ts';
import { memoLabels } from './memo.ts';
import { createDraft } from './swap/prepare.ts';

type Answers = Readonly<Record<string, readonly [status: number, body: object]>>;

const servers: { close: () => void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A dockerd that says this, by method and path, and to all else that there is no such thing. */
async function answering(answers: Answers): Promise<Dockerd> {
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    const [status, body] = answers[`${request.method} ${path}`] ?? [404, { message: 'no such thing' }];
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  });
  servers.push(server);
  return dockerdAt(server);
}

async function dockerdAt(server: Server): Promise<Dockerd> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new Dockerd(new Docker({ host: '127.0.0.1', port, protocol: 'http' }));
}

function container(Id: string, labels: Readonly<Record<string, string>> = {}): InspectedContainer {
  return {
    Id,
    Name: `/${Id}`,
    Image: 'v1',
    State: { Status: 'running', Running: true },
    Config: { Labels: labels },
    HostConfig: {},
    NetworkSettings: {},
  };
}

const WRECK = [500, { message: 'RWLayer of container wreck is unexpectedly nil' }] as const;

describe('every container', () => {
  const listing = (State: string): Answers => ({
    'GET /containers/json': [
      200,
      [
        { Id: 'web', State: 'running' },
        { Id: 'wreck', State },
      ],
    ],
    'GET /containers/web/json': [200, container('web')],
    'GET /containers/wreck/json': WRECK,
  });

  it('is every one but a wreck, which hinders nobody', async () => {
    expect(await (await answering(listing('dead'))).everyContainer()).toEqual([container('web')]);
  });

  it('is not known where dockerd cannot tell of one that runs', async () => {
    await expect((await answering(listing('running'))).everyContainer()).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});

describe('a restart', () => {
  afterEach(() => void vi.useRealTimers());

  it('is waited for as long as the container may take to stop', async () => {
    let isAsked = (): void => {};
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const silent = createServer(() => isAsked());
    servers.push(silent);
    const dockerd = await dockerdAt(silent);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let why: unknown;
    const restarted = dockerd
      .restart('web', ownStopTimeoutMs({ StopTimeout: 300 }))
      .catch((error: unknown) => {
        why = error;
      });
    await asked;
    await vi.advanceTimersByTimeAsync(400_000);
    expect(why).toBe(undefined);
    await vi.advanceTimersByTimeAsync(20_000);
    await restarted;
    expect(why).toMatchObject({ code: 'unavailable' });
  });
});

describe('a new container', () => {
  const order: SwapOrder = {
    service: 'web',
    attempt: '7.update.1',
    target: { kind: 'last-good' },
    lastGood: 'running',
  };
  const target = { imageId: 'v2', config: {}, platform: undefined, reference: 'v2' };
  const memo = memoLabels({
    attempt: '7.update.1',
    replaces: 'web',
    policy: { Name: 'always' },
    reference: 'web:latest',
    oldState: 'running',
  });

  async function creating(named: Answers): Promise<void> {
    const dockerd = await answering({
      'GET /images/v1/json': [200, { Id: 'v1' }],
      'POST /containers/create': [409, { message: 'Conflict. The container name is already in use' }],
      ...named,
    });
    await createDraft(dockerd, order, container('web'), { target, tenants: [], running: undefined });
  }

  it.each<[string, Answers]>([
    ['which nobody sees', {}],
    [
      'which is being removed',
      {
        'GET /containers/web.swell-draft/json': [
          200,
          { ...container('draft', memo), State: { Status: 'removing', Running: false } },
        ],
      },
    ],
    [
      'which we asked for before',
      { 'GET /containers/web.swell-draft/json': [200, container('draft', memo)] },
    ],
  ])('whose name is taken by one %s is made a little later', async (_, named) => {
    await expect(creating(named)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('on a disk that is full is made once there is room', async () => {
    const message = 'mkdir /var/lib/docker/overlay2/1: no space left on device';
    await expect(creating({ 'POST /containers/create': [500, { message }] })).rejects.toMatchObject({
      code: 'no-room',
    });
  });

  it("whose name is taken by somebody else's cannot be made", async () => {
    const theirs: Answers = { 'GET /containers/web.swell-draft/json': [200, container('theirs')] };
    await expect(creating(theirs)).rejects.toMatchObject({ code: 'not-carried' });
  });
});
