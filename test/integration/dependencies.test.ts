/** K3 with real coordinators on a real bus: two services on paper, of which one depends on the other. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { controlSubject, policyKey, releaseSubject } from '@swell/shared/protocol/subjects.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetLog } from '../fleet/fleet-log.ts';
import { Program } from '../fleet/programs.ts';
import { connectPatiently } from '../support/bus.ts';
import { type DockerRegistry, digestOf, pushImage, startDockerRegistry } from '../support/docker-registry.ts';
import { type NatsServer, startNats } from '../support/nats.ts';
import { PaperFleet } from '../support/paper-fleet.ts';

const QUICK = { approval: 'automatic', soak: '0s', stages: [100], maxUnavailable: 3 };
const V0 = digestOf('v0');

let server: NatsServer;
let registry: DockerRegistry;
let bus: NatsBus;
let log: FleetLog;
let directory: string;
let programs: Program[];
let fleets: Readonly<Record<'db' | 'web', PaperFleet>>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swell-dependencies-'));
  programs = [];
  [server, registry] = await Promise.all([startNats(), startDockerRegistry()]);
  bus = await connectPatiently(server, 'dependencies-test');
  log = new FleetLog(bus);
  fleets = {
    db: new PaperFleet(bus, 'db', { eu: 5 }, V0),
    web: new PaperFleet(bus, 'web', { us: 5 }, V0),
  };
  await lead('first');
  await log.follow();
  await Promise.all([fleets.db.join(), fleets.web.join()]);
});

afterEach(async ({ task }) => {
  for (const fleet of Object.values(fleets)) fleet[Symbol.dispose]();
  await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()));
  await bus[Symbol.asyncDispose]();
  await server.stop();
  await registry[Symbol.asyncDispose]();
  if (task.result?.state === 'pass') await rm(directory, { recursive: true });
});

/** A coordinator, once it leads. */
async function lead(name: string): Promise<Program> {
  const program = new Program({
    program: 'coordinator',
    logFile: join(directory, `${name}.log`),
    environment: {
      SWELL_NATS_SERVERS: server.url,
      SWELL_NAME: name,
      SWELL_STATUS_HOST: '127.0.0.1',
      SWELL_STATUS_PORT: '0',
      SWELL_LEASE_MS: '1000',
      SWELL_PULSE_EVERY_MS: '200',
    },
  });
  programs.push(program);
  await program.line(({ msg }) => msg === 'leading');
  return program;
}

async function policy(service: string, more: object = {}): Promise<FleetEvent> {
  const subject = policyKey(service);
  const { sequence } = await bus.publish({ subject, body: encode({ ...QUICK, ...more }), line: 'policy' });
  return log.until((entry) =>
    entry.kind === 'event' && entry.event.revision === sequence && entry.event.name.startsWith('policy-')
      ? entry.event
      : undefined,
  );
}

async function release(
  service: string,
  tag: string,
  more: object = {},
): Promise<{ readonly rollout: number; readonly digest: Digest }> {
  const { digest } = await pushImage(registry, service, tag, tag);
  const body = encode({ image: `${registry.host}/${service}:${tag}`, ...more });
  const { sequence } = await bus.publish({ subject: releaseSubject(service), body, line: 'release' });
  return { rollout: sequence, digest };
}

/** Where an event stands in the log. */
function place(name: EventName, rollout: number): number {
  return log.events().findIndex((event) => event.name === name && event.rollout === rollout);
}

test('K3: a train rolls in order, whichever was published first, and the next leader keeps to it', async () => {
  await policy('db');
  await policy('web', { dependsOn: ['db'] });
  const train = { train: '2026-11', trainOf: ['db', 'web'] };
  fleets.web.pass();
  const { rollout: web } = await release('web', 'v1', train);
  expect((await log.untilEvent('release-delayed', web)).line).toBe(
    `release ${web} of web waits for a release of db in train 2026-11`,
  );
  const { rollout: db, digest } = await release('db', 'v1', train);
  fleets.db.pass(2);
  await fleets.db.until(2, digest);
  await programs[0]?.kill();
  await lead('second');
  expect([place('rollout-started', web), place('rollout-settled', db)]).toEqual([-1, -1]);
  fleets.db.pass();
  await log.untilEvent('rollout-settled', web);
  expect(place('rollout-settled', db)).toBeGreaterThan(-1);
  expect(place('rollout-started', web)).toBeGreaterThan(place('rollout-settled', db));
  expect(log.violations()).toEqual([]);
});

test('K3: a halt pauses what depends on it, and a cycle is refused by name', async () => {
  await policy('db');
  await policy('web', { dependsOn: ['db'] });
  const refused = await policy('db', { dependsOn: ['web'] });
  expect([refused.name, refused.problems]).toEqual([
    'policy-rejected',
    ['dependsOn: db -> web -> db is a cycle: take one of them out of the policy of the one before'],
  ]);
  for (const fleet of Object.values(fleets)) fleet.pass();
  const { rollout: db } = await release('db', 'v1');
  await log.untilEvent('rollout-settled', db);
  fleets.web.pass(2);
  const { rollout: web } = await release('web', 'v1');
  await log.untilEvent('stage-opened', web);
  await bus.publish({ subject: controlSubject('db'), body: encode({ action: 'halt' }), line: 'halt' });
  expect((await log.untilEvent('rollout-paused', web)).line).toContain(`not settled on rollout ${db}`);
  const { rollout: better } = await release('db', 'v2');
  // On paper nodes return once they hear of something else, and then wait to be let through.
  await fleets.db.until(5, V0);
  fleets.db.pass();
  await log.untilEvent('rollout-resumed', web);
  expect(place('rollout-settled', better)).toBeGreaterThan(-1);
  fleets.web.pass();
  await log.untilEvent('rollout-settled', web);
  expect(log.violations()).toEqual([]);
});
