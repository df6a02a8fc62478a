/** What the end-to-end tests share: a fleet for a file of tests, and the checker over its log at the end of each. */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { policyKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { WEB_PORT } from '../support/docker.ts';
import {
  Fleet,
  type FleetNode,
  type FleetOptions,
  SERVICE,
  START_PATIENCE_MS,
  storedSequence,
} from './fleet.ts';
import { failedPrograms, untilAtRest, untilEntry, untilSo } from './watching.ts';

const HEALTH = {
  http: { port: WEB_PORT, path: '/health' },
  interval: '200ms',
  timeout: '2s',
  minHealthyTime: '600ms',
  healthyDeadline: '30s',
};

/** Two stages that follow each other without anybody's word; the first failure is one too many. */
export const QUICK = {
  stages: [50, 100],
  approval: 'automatic',
  maxUnavailable: 1,
  stagingSpread: '0s',
  soak: '0s',
  failureBudget: { max: 0 },
  health: HEALTH,
} as const;

/** For a release whose nodes get well one by one, when the test lets them: {@link letPass}. Nobody gives it up before that. */
export const GATED = {
  policy: { health: { http: { port: WEB_PORT, path: '/open' }, healthyDeadline: '10m' } },
} as const;

/** For a release that is sick on purpose: nobody waits half a minute for it. */
export const IMPATIENT = { policy: { health: { healthyDeadline: '2s' } } } as const;

/**
 * A fleet that all tests of a file share. Whatever a test did, at its end the log breaks no rule, and no agent or
 * coordinator has ended but by its hand.
 */
export function fleetOfThisFile(options: FleetOptions): () => Fleet {
  let fleet: Fleet | undefined;
  const present = (): Fleet => {
    if (fleet === undefined) throw new Error('the fleet has not started');
    return fleet;
  };
  beforeAll(async () => {
    fleet = await Fleet.start(options);
    await givePolicy(fleet, QUICK);
  }, START_PATIENCE_MS * 2);
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') present().keepsLogs = true;
    else await endsInOrder(present());
  });
  afterAll(async () => {
    if (fleet?.keepsLogs === true) console.log(`the logs of this file's fleet are in ${fleet.directory}`);
    await fleet?.[Symbol.asyncDispose]();
  });
  return present;
}

/** Nothing is under way, and nothing that happened broke a rule. */
export async function endsInOrder(fleet: Fleet): Promise<void> {
  await untilAtRest(fleet);
  const violations = fleet.log.violations();
  if (violations.length > 0) fleet.keepsLogs = true;
  expect(violations).toEqual([]);
  expect(failedPrograms(fleet).map(({ logFile }) => logFile)).toEqual([]);
}

/** The engine's word: exactly one container on each node, running this image, and it serves. */
export async function expectOn(
  fleet: Fleet,
  image: PinnedImage,
  nodes: readonly FleetNode[] = fleet.nodes,
): Promise<void> {
  for (const node of nodes) {
    await untilSo(
      fleet,
      `${node.name} to serve ${image.tag}`,
      async () => (await fleet.serving(node)) === image.tag,
    );
    const containers = await fleet.containersOn(node);
    expect(containers, `containers on ${node.name}`).toEqual([
      { name: node.container, running: true, digests: expect.arrayContaining([image.digest]) },
    ]);
  }
}

/** Waits until the node runs a {@link GATED} image, and lets it get well. */
export async function letPass(fleet: Fleet, node: FleetNode, image: PinnedImage): Promise<void> {
  await untilRuns(fleet, node, image);
  const exec = await fleet.docker
    .getContainer(node.container)
    .exec({ Cmd: ['/bin/busybox', 'touch', '/www/open'] });
  await exec.start({ Detach: true });
}

/** Whoever's turn comes, in whatever order: he gets well. */
export async function letAllPass(fleet: Fleet, image: PinnedImage): Promise<void> {
  await Promise.all(fleet.nodes.map((node) => letPass(fleet, node, image)));
}

/** The container that bears the service's name runs this image, whatever else there is. */
export async function untilRuns(fleet: Fleet, node: FleetNode, image: PinnedImage): Promise<void> {
  await untilSo(fleet, `${node.name} to run ${image.tag}`, async () =>
    (await fleet.containersOn(node)).some(
      ({ name, running, digests }) => name === node.container && running && digests.includes(image.digest),
    ),
  );
}

/** Writes the service's policy by the `nats` CLI, and waits until it is in force. */
export async function givePolicy(fleet: Fleet, policy: object): Promise<void> {
  await fleet.policy(policy);
  const stored = await fleet.bus.readLast(STREAMS.policies, policyKey(SERVICE));
  await untilEntry(fleet, `policy ${stored?.sequence} to be accepted`, (entry) =>
    entry.kind === 'event' &&
    entry.event.name === 'policy-accepted' &&
    entry.event.revision === stored?.sequence
      ? entry
      : undefined,
  );
}

/** Gives the coordinator a word by the `nats` CLI; returns the event that answers it. */
export async function giveWord(fleet: Fleet, word: object | string, service = SERVICE): Promise<FleetEvent> {
  const body = typeof word === 'string' ? word : JSON.stringify(word);
  const subject = `swell.control.${service}`;
  const sequence = storedSequence(await fleet.nats('pub', '-J', '--no-templates', subject, body));
  return untilEntry(fleet, `an answer to ${body}`, (entry) =>
    entry.kind === 'event' &&
    entry.event.name.startsWith('control-') &&
    entry.event.id.includes(`.${sequence}-`)
      ? entry.event
      : undefined,
  );
}
