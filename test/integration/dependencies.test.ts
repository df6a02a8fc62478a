/** K3 with real coordinators on a real bus: two services on paper, of which one depends on the other. */

import type { EventName } from '@swell/shared/domain/event.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { controlSubject } from '@swell/shared/protocol/subjects.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Coordinators } from '../fleet/coordinators.ts';
import { digestOf } from '../support/docker-registry.ts';
import { PaperFleet } from '../support/paper-fleet.ts';

const QUICK = { approval: 'automatic', soak: '0s', stages: [100], maxUnavailable: 3 };
const V0 = digestOf('v0');

let coordinators: Coordinators;
let fleets: Readonly<Record<'db' | 'web', PaperFleet>>;

beforeEach(async () => {
  coordinators = await Coordinators.open();
  fleets = {
    db: new PaperFleet(coordinators.bus, 'db', { eu: 5 }, V0),
    web: new PaperFleet(coordinators.bus, 'web', { us: 5 }, V0),
  };
  await coordinators.lead('first');
  await coordinators.log.follow();
  await Promise.all([fleets.db.join(), fleets.web.join()]);
});

afterEach(async ({ task }) => {
  for (const fleet of Object.values(fleets)) fleet[Symbol.dispose]();
  coordinators.keepsLogs = task.result?.state !== 'pass';
  await coordinators[Symbol.asyncDispose]();
});

const policy = (service: string, more: object = {}) => coordinators.policy(service, { ...QUICK, ...more });

/** Where an event stands in the coordinators.log. */
function place(name: EventName, rollout: number): number {
  return coordinators.log.events().findIndex((event) => event.name === name && event.rollout === rollout);
}

test('K3: a train rolls in order, whichever was published first, and the next leader keeps to it', async () => {
  await policy('db');
  await policy('web', { dependsOn: ['db'] });
  const train = { train: '2026-11', trainOf: ['db', 'web'] };
  fleets.web.pass();
  const { rollout: web } = await coordinators.release('web', 'v1', train);
  expect((await coordinators.log.untilEvent('release-delayed', web)).line).toBe(
    `release ${web} of web waits for a release of db in train 2026-11`,
  );
  const { rollout: db, digest } = await coordinators.release('db', 'v1', train);
  fleets.db.pass(2);
  await fleets.db.until(2, digest);
  await coordinators.programs[0]?.kill();
  await coordinators.lead('second');
  expect([place('rollout-started', web), place('rollout-settled', db)]).toEqual([-1, -1]);
  fleets.db.pass();
  await coordinators.log.untilEvent('rollout-settled', web);
  expect(place('rollout-settled', db)).toBeGreaterThan(-1);
  expect(place('rollout-started', web)).toBeGreaterThan(place('rollout-settled', db));
  expect(coordinators.log.violations()).toEqual([]);
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
  const { rollout: db } = await coordinators.release('db', 'v1');
  await coordinators.log.untilEvent('rollout-settled', db);
  fleets.web.pass(2);
  const { rollout: web } = await coordinators.release('web', 'v1');
  await coordinators.log.untilEvent('stage-opened', web);
  await coordinators.bus.publish({
    subject: controlSubject('db'),
    body: encode({ action: 'halt' }),
    line: 'halt',
  });
  expect((await coordinators.log.untilEvent('rollout-paused', web)).line).toContain(
    `not settled on rollout ${db}`,
  );
  const { rollout: better } = await coordinators.release('db', 'v2');
  // On paper nodes return once they hear of something else, and then wait to be let through.
  await fleets.db.until(5, V0);
  fleets.db.pass();
  await coordinators.log.untilEvent('rollout-resumed', web);
  expect(place('rollout-settled', better)).toBeGreaterThan(-1);
  fleets.web.pass();
  await coordinators.log.untilEvent('rollout-settled', web);
  expect(coordinators.log.violations()).toEqual([]);
});
