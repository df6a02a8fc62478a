/**
 * A tag in a real registry that wants a login, watched by coordinators as programs on a real bus; what the registry
 * notifies of itself reaches whoever leads. The fleet is on paper.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { policyKey } from '@swell/shared/protocol/subjects.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Coordinators, isLeading } from '../fleet/coordinators.ts';
import type { Program } from '../fleet/programs.ts';
import { runSwellCommand } from '../fleet/swell-command.ts';
import { ACCOUNT, digestOf, pushImage } from '../support/docker-registry.ts';
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

let coordinators: Coordinators;
let fleet: PaperFleet;
let ports: readonly number[];

beforeEach(async () => {
  ports = await freePorts(2);
  // Its notifications go to the second coordinator, whoever leads.
  const notify = { url: `http://127.0.0.1:${ports[1]}/notifications`, authorization: `Bearer ${TOKEN}` };
  coordinators = await Coordinators.open({ login: 'basic', notify });
  fleet = new PaperFleet(coordinators.bus, SERVICE, { eu: 6 }, digestOf('v0'));
  fleet.pass();
  await mkdir(inFolder('docker'));
  await logIn(ACCOUNT.password);
  await writeFile(inFolder('token'), `${TOKEN}\n`);
});

afterEach(async ({ task }) => {
  fleet[Symbol.dispose]();
  coordinators.keepsLogs = task.result?.state !== 'pass';
  await coordinators[Symbol.asyncDispose]();
});

const inFolder = (...path: readonly string[]): string => join(coordinators.directory, ...path);

/** As `docker login` leaves it behind. */
async function logIn(password: string): Promise<void> {
  const auths = { [coordinators.registry.host]: { auth: btoa(`${ACCOUNT.username}:${password}`) } };
  await writeFile(inFolder('docker', 'config.json'), JSON.stringify({ auths }));
}

function environment(name: 'first' | 'second'): Readonly<Record<string, string>> {
  return {
    SWELL_STATUS_PORT: String(ports[name === 'first' ? 0 : 1]),
    SWELL_NOTIFICATIONS_TOKEN_FILE: inFolder('token'),
    DOCKER_CONFIG: inFolder('docker'),
  };
}

/** A leader, everybody there, and the policy that watches the tag. */
async function begin(watch: object): Promise<Program> {
  const first = await coordinators.lead('first', environment('first'));
  await coordinators.log.follow();
  await fleet.join();
  const body = encode({
    ...POLICY,
    watch: { image: `${coordinators.registry.host}/${SERVICE}:latest`, ...watch },
  });
  await coordinators.bus.publish({ subject: policyKey(SERVICE), body, line: 'policy' });
  return first;
}

const push = async (content: string): Promise<string> =>
  (await pushImage(coordinators.registry, SERVICE, 'latest', content, BASIC)).digest;

const settled = (digest: string): Promise<FleetEvent> =>
  coordinators.log.until((entry) => {
    if (entry.kind !== 'event' || entry.event.name !== 'rollout-settled') return undefined;
    const { rollout } = entry.event;
    const isIt = coordinators.log.entries.some(
      (one) =>
        one.kind === 'wave' &&
        one.wave.release.rollout === rollout &&
        one.wave.release.image.digest === digest,
    );
    return isIt ? entry.event : undefined;
  });

const releases = (): number => coordinators.log.entries.filter(({ kind }) => kind === 'release').length;

test('N1: what the registry notifies reaches whoever leads, and is released once, also by the next leader', async () => {
  const one = await push('one');
  // Looked at when the policy comes, and then not for a month: what follows is by the notifications alone.
  const first = await begin({ mode: 'auto', every: '30d' });
  await settled(one);
  // The registry says it again until somebody is there to hear it.
  const second = coordinators.start('second', environment('second'));
  const two = await push('two');
  await settled(two);
  expect(second.has(({ msg }) => msg === 'a registry says that a tag has moved')).toBe(true);

  // The next leader looks at the tag when it begins, and has nothing to do.
  await first.kill();
  await second.line(isLeading);
  const three = await push('three');
  await settled(three);
  expect(releases()).toBe(3);
  expect(coordinators.log.violations()).toEqual([]);
});

test('N1: nobody without the token has the registry asked', async () => {
  const digest = await push('one');
  await begin({ mode: 'auto', every: '30d' });
  await settled(digest);
  const post = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${ports[0]}/notifications`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ image: `${coordinators.registry.host}/${SERVICE}:latest` }),
    }).then(({ status }) => status);
  expect(await post({})).toBe(401);
  expect(await post({ authorization: `Bearer ${TOKEN}s` })).toBe(401);
  expect(await post({ authorization: `Bearer ${TOKEN}` })).toBe(202);
});

test('N1: without a login the tag is out of reach and told so; with it, it is proposed, and approved it is a release', async () => {
  await logIn('wrong');
  const digest = await push('one');
  await begin({ mode: 'propose', every: '10s' });
  const { line } = await coordinators.event('tag-out-of-reach');
  expect(line).toContain(`put credentials for ${coordinators.registry.host} that may pull it into`);
  await logIn(ACCOUNT.password);
  const proposed = await coordinators.event('release-proposed');
  expect([proposed.digest, releases()]).toEqual([digest, 0]);
  const shown = await runSwellCommand(coordinators.server.url, ['status', SERVICE]);
  expect(shown.out).toContain(`proposed: ${coordinators.registry.host}/${SERVICE}:latest is ${digest}`);
  const approved = await runSwellCommand(coordinators.server.url, ['approve', SERVICE, '--digest', digest]);
  expect([approved.code, approved.out]).toEqual([
    0,
    expect.stringMatching(/^approve of web: release \d+ is latest@/),
  ]);
  await settled(digest);
  expect(releases()).toBe(1);
  expect(coordinators.log.violations()).toEqual([]);
});
