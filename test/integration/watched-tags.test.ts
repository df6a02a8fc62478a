/**
 * A tag in a real registry that wants a login, watched by coordinators as programs on a real bus; what the registry
 * notifies of itself reaches whoever leads. The fleet is on paper.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { policyKey } from '@swell/shared/protocol/subjects.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetLog } from '../fleet/fleet-log.ts';
import { Program } from '../fleet/programs.ts';
import { runSwellCommand } from '../fleet/swell-command.ts';
import { connectPatiently } from '../support/bus.ts';
import {
  ACCOUNT,
  type DockerRegistry,
  digestOf,
  pushImage,
  startDockerRegistry,
} from '../support/docker-registry.ts';
import { type NatsServer, startNats } from '../support/nats.ts';
import { PaperFleet } from '../support/paper-fleet.ts';
import { freePorts } from '../support/ports.ts';

const SERVICE = 'web';
const BASIC = `Basic ${btoa(`${ACCOUNT.username}:${ACCOUNT.password}`)}`;
const TOKEN = 'a token of the registry';
const POLICY = {
  approval: 'automatic',
  soak: '0s',
  stages: [100],
  stagingSpread: '0s',
  maxUnavailable: 3,
};

let server: NatsServer;
let registry: DockerRegistry;
let bus: NatsBus;
let log: FleetLog;
let fleet: PaperFleet;
let directory: string;
let ports: readonly number[];
let programs: Program[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swell-tags-'));
  programs = [];
  ports = await freePorts(2);
  // Its notifications go to the second coordinator, whoever leads.
  const notify = { url: `http://127.0.0.1:${ports[1]}/notifications`, authorization: `Bearer ${TOKEN}` };
  [server, registry] = await Promise.all([startNats(), startDockerRegistry({ login: 'basic', notify })]);
  bus = await connectPatiently(server, 'tags-test');
  log = new FleetLog(bus);
  fleet = new PaperFleet(bus, SERVICE, { eu: 6 }, digestOf('v0'));
  fleet.pass();
  await mkdir(join(directory, 'docker'));
  await logIn(ACCOUNT.password);
  await writeFile(join(directory, 'token'), `${TOKEN}\n`);
});

afterEach(async ({ task }) => {
  fleet[Symbol.dispose]();
  await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()));
  await bus[Symbol.asyncDispose]();
  await server.stop();
  await registry[Symbol.asyncDispose]();
  if (task.result?.state === 'pass') await rm(directory, { recursive: true });
});

/** As `docker login` leaves it behind. */
async function logIn(password: string): Promise<void> {
  const auths = { [registry.host]: { auth: btoa(`${ACCOUNT.username}:${password}`) } };
  await writeFile(join(directory, 'docker', 'config.json'), JSON.stringify({ auths }));
}

function start(name: 'first' | 'second'): Program {
  const program = new Program({
    program: 'coordinator',
    logFile: join(directory, `${programs.length}-${name}.log`),
    environment: {
      SWELL_NATS_SERVERS: server.url,
      SWELL_NAME: `${name}-${programs.length}`,
      SWELL_STATUS_HOST: '127.0.0.1',
      SWELL_STATUS_PORT: String(ports[name === 'first' ? 0 : 1]),
      SWELL_LEASE_MS: '1000',
      SWELL_PULSE_EVERY_MS: '200',
      SWELL_NOTIFICATIONS_TOKEN_FILE: join(directory, 'token'),
      DOCKER_CONFIG: join(directory, 'docker'),
    },
  });
  programs.push(program);
  return program;
}

const leads = (program: Program) => program.line(({ msg }) => msg === 'leading');

/** A leader, everybody there, and the policy that watches the tag. */
async function begin(watch: object): Promise<Program> {
  const first = start('first');
  await leads(first);
  await log.follow();
  await fleet.join();
  const body = encode({ ...POLICY, watch: { image: `${registry.host}/${SERVICE}:latest`, ...watch } });
  await bus.publish({ subject: policyKey(SERVICE), body, line: 'policy' });
  return first;
}

const push = async (content: string): Promise<string> =>
  (await pushImage(registry, SERVICE, 'latest', content, BASIC)).digest;

function event(name: EventName, fits: (event: FleetEvent) => boolean = () => true): Promise<FleetEvent> {
  return log.until((entry) =>
    entry.kind === 'event' && entry.event.name === name && fits(entry.event) ? entry.event : undefined,
  );
}

const settled = (digest: string): Promise<FleetEvent> =>
  log.until((entry) => {
    if (entry.kind !== 'event' || entry.event.name !== 'rollout-settled') return undefined;
    const { rollout } = entry.event;
    const isIt = log.entries.some(
      (one) =>
        one.kind === 'wave' &&
        one.wave.release.rollout === rollout &&
        one.wave.release.image.digest === digest,
    );
    return isIt ? entry.event : undefined;
  });

const releases = (): number => log.entries.filter(({ kind }) => kind === 'release').length;

test('N1: what the registry notifies reaches whoever leads, and is released once, also by the next leader', async () => {
  const one = await push('one');
  // Looked at when the policy comes, and then not for a month: what follows is by the notifications alone.
  const first = await begin({ mode: 'auto', every: '30d' });
  await settled(one);
  // The registry says it again until somebody is there to hear it.
  const second = start('second');
  const two = await push('two');
  await settled(two);
  expect(second.has(({ msg }) => msg === 'a registry says that a tag has moved')).toBe(true);

  // The next leader looks at the tag when it begins, and has nothing to do.
  await first.kill();
  await leads(second);
  const three = await push('three');
  await settled(three);
  expect(releases()).toBe(3);
  expect(log.violations()).toEqual([]);
});

test('N1: nobody without the token has the registry asked', async () => {
  const digest = await push('one');
  await begin({ mode: 'auto', every: '30d' });
  await settled(digest);
  const post = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${ports[0]}/notifications`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ image: `${registry.host}/${SERVICE}:latest` }),
    }).then(({ status }) => status);
  expect(await post({})).toBe(401);
  expect(await post({ authorization: `Bearer ${TOKEN}s` })).toBe(401);
  expect(await post({ authorization: `Bearer ${TOKEN}` })).toBe(202);
});

test('N1: without a login the tag is out of reach and told so; with it, it is proposed, and approved it is a release', async () => {
  await logIn('wrong');
  const digest = await push('one');
  await begin({ mode: 'propose', every: '10s' });
  const { line } = await event('tag-out-of-reach');
  expect(line).toContain(`put credentials for ${registry.host} that may pull it into`);
  await logIn(ACCOUNT.password);
  const proposed = await event('release-proposed');
  expect([proposed.digest, releases()]).toEqual([digest, 0]);
  const shown = await runSwellCommand(server.url, ['status', SERVICE]);
  expect(shown.out).toContain(`proposed: ${registry.host}/${SERVICE}:latest is ${digest}`);
  const approved = await runSwellCommand(server.url, ['approve', SERVICE, '--digest', digest]);
  expect([approved.code, approved.out]).toEqual([
    0,
    expect.stringMatching(/^approve of web: release \d+ is latest@/),
  ]);
  await settled(digest);
  expect(releases()).toBe(1);
  expect(log.violations()).toEqual([]);
});
