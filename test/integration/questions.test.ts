/** Questions to whoever leads, on a real bus: the `nats` CLI finds, asks and counts them as those of any microservice. */

import type { Question } from '@swell/shared/domain/names.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { questionSubject } from '@swell/shared/protocol/subjects.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Coordinators, isLeading } from '../fleet/coordinators.ts';
import { runSwellCommand } from '../fleet/swell-command.ts';
import { digestOf } from '../support/docker-registry.ts';
import { text } from '../support/listen.ts';
import { PaperFleet } from '../support/paper-fleet.ts';
import { natsOptions, runTool } from '../support/tools.ts';

const SERVICE = 'web';
const POLL = { timeout: 60_000 };

let coordinators: Coordinators;
let fleet: PaperFleet;

beforeAll(async () => {
  coordinators = await Coordinators.open();
  fleet = new PaperFleet(coordinators.bus, SERVICE, { eu: 4 }, digestOf('v0'));
});

afterAll(async () => {
  fleet[Symbol.dispose]();
  await coordinators[Symbol.asyncDispose]();
});

/** With a lease that nobody loses because the machine stands still: who leads is what is asked here. */
const environment = () => ({
  SWELL_LEASE_MS: '15000',
  SWELL_INSECURE_REGISTRIES: coordinators.registry.host,
});

const nats = (...args: readonly string[]) => runTool('nats', [...natsOptions(coordinators.server), ...args]);

async function ask(question: Question, body?: object, service = SERVICE): Promise<unknown> {
  const asked = body === undefined ? {} : { question: encode(body) };
  const answer = await coordinators.bus.ask(questionSubject(question, service), asked);
  return answer.ok ? JSON.parse(text(answer.value)) : answer.problems;
}

async function writePolicy(policy: object): Promise<void> {
  expect(await coordinators.policy(SERVICE, policy)).toMatchObject({ name: 'policy-accepted' });
}

it('nobody leads: nobody answers, and the command says so', async () => {
  await expect(coordinators.bus.ask(questionSubject('rollout', SERVICE))).rejects.toMatchObject({
    code: 'unavailable',
  });
});

it('B15: the leader answers how a rollout stands, why it does not go on, and what became of it', async () => {
  await coordinators.lead('first', environment());
  await coordinators.log.follow();
  await fleet.join();
  fleet.pass();
  // Its first nodes have to be heard of.
  await expect
    .poll(() => ask('rollout'), POLL)
    .toMatchObject({ service: SERVICE, phase: 'none', because: 'nothing-released' });
  const policy = { approval: 'manual', soak: '0s', stages: [50, 100], maxUnavailable: 1 };
  await writePolicy(policy);
  const { rollout } = await coordinators.release(SERVICE, 'v1');
  await coordinators.log.untilEvent('approval-awaited', rollout);
  const line = `rollout ${rollout} of web (v1): stage 1 of 2 (50 %) is through, and the word "approve" opens the next stage`;
  expect(await ask('rollout')).toMatchObject({
    rollout,
    version: 'v1',
    line,
    phase: 'gated',
    stage: { number: 1, of: 2, percent: 50 },
    attempts: { attempted: 2, failed: 0 },
    regions: [{ region: 'eu', nodes: 4, admitted: 2, standing: { updated: 2 } }],
  });
  expect(await ask('explain')).toEqual({ service: SERVICE, rollout, because: 'approval', line, also: [] });
  expect(await ask('history')).toMatchObject({
    rollouts: [{ rollout, version: 'v1', outcome: 'under way' }],
  });
});

it('B15: of a node as well; the nats CLI and the command say the same', async () => {
  const line =
    /^it is on v1$|^it is number \d of 4 in the line of eu, and the present stage takes in the first 2$/;
  const answer = await ask('explain', { node: 'eu-1' });
  expect(answer).toEqual({ service: SERVICE, region: 'eu', node: 'eu-1', line: expect.stringMatching(line) });
  expect(JSON.parse(await nats('request', '--raw', 'swell.ask.explain.web', '{"node":"eu-1"}'))).toEqual(
    answer,
  );
  const command = await runSwellCommand(coordinators.server.url, [
    'explain',
    SERVICE,
    '--node',
    'eu.eu-1',
    '--json',
  ]);
  expect([command.code, command.err, JSON.parse(command.out)]).toEqual([0, '', answer]);
  const { code, out } = await runSwellCommand(coordinators.server.url, ['explain', SERVICE]);
  expect([code, out]).toEqual([0, `${((await ask('explain')) as { readonly line: string }).line}\n`]);
});

it('what cannot be answered is refused, with the reason, as services do it', async () => {
  expect(await ask('rollout', undefined, 'nobody')).toEqual([
    'service: no node runs "nobody", and it has no policy and no release',
  ]);
  expect(await ask('explain', { node: 'n9' })).toEqual([
    'node: nobody has heard of a node n9 with web: swell nodes shows who is there',
  ]);
  expect(await ask('explain', { nod: 'eu-1' })).toEqual([expect.stringMatching(/nod/)]);
  const { code, err } = await runSwellCommand(coordinators.server.url, ['explain', 'nobody']);
  expect([code, err]).toEqual([
    1,
    'swell: no node nobody is there: swell nodes shows who is. ' +
      'And of a service: service: no node runs "nobody", and it has no policy and no release\n',
  ]);
});

it('nats micro finds them, says what they answer, and counts how often they did', async () => {
  expect(await nats('micro', 'ls')).toMatch(/swell-coordinator/);
  const info = await nats('micro', 'info', 'swell-coordinator');
  for (const question of ['rollout', 'history', 'explain', 'replay'])
    expect(info).toContain(`swell.ask.${question}.*`);
  const stats: unknown = JSON.parse(await nats('request', '--raw', '$SRV.STATS.swell-coordinator', ''));
  expect(stats).toMatchObject({
    type: 'io.nats.micro.v1.stats_response',
    name: 'swell-coordinator',
    endpoints: expect.arrayContaining([
      expect.objectContaining({
        name: 'rollout',
        num_errors: expect.any(Number),
        last_error: '404:service: no node runs "nobody", and it has no policy and no release',
      }),
    ]),
  });
});

it('B16: would this policy have stopped it? A halted rollout is lived again from its log', async () => {
  const own = {
    approval: 'automatic',
    soak: '0s',
    stages: [50, 100],
    maxUnavailable: 1,
    failureBudget: { max: 0 },
  };
  await writePolicy(own);
  fleet.pass(0);
  const { rollout } = await coordinators.release(SERVICE, 'v2');
  await coordinators.log.untilEvent('stage-opened', rollout);
  const [sick] = fleet.nodes;
  if (sick !== undefined) await fleet.fail(sick, rollout);
  await coordinators.log.untilEvent('rollout-halted', rollout);
  const lax = { ...own, failureBudget: { max: 2 } };
  const answer = await ask('replay', { rollout, policy: lax });
  expect(answer).toMatchObject({
    service: SERVICE,
    rollout,
    as: { outcome: 'halted', updated: 0, failed: 1 },
    would: { outcome: 'settled', updated: 3, failed: 1 },
    nodes: { all: 4, recorded: 1 },
    line: expect.stringMatching(
      /^rollout \d+ of web was halted at \S+ with 0 nodes updated and 1 failed; by this policy it would have settled at \S+ with 3 nodes updated and 1 failed$/,
    ),
  });
  expect(await ask('replay', { rollout, policy: own })).toMatchObject({
    as: { outcome: 'halted', failed: 1 },
    would: { outcome: 'halted', failed: 1 },
  });
  const args = ['replay', SERVICE, '--rollout', String(rollout), '--policy', '-'];
  const command = await runSwellCommand(coordinators.server.url, [...args, '--json'], {
    input: JSON.stringify(lax),
  });
  expect([command.code, command.err, JSON.parse(command.out)]).toEqual([0, '', answer]);
  const shown = await runSwellCommand(coordinators.server.url, args, { input: JSON.stringify(lax) });
  expect(shown.out).toMatch(
    /^rollout .*\n {2}assumed: 3 nodes of which the log does not tell how they took the release/,
  );
  expect(await ask('replay', { rollout: 9_999, policy: lax })).toEqual([
    'rollout: 9999 is no release of web: swell history web shows them',
  ]);
  expect(await ask('replay', { rollout, policy: { soak: 'long' } })).toEqual([
    expect.stringMatching(/^policy\.soak: must be a duration/),
  ]);
});

it('only who leads answers, and after a take-over the next one does, from what was saved', async () => {
  const second = coordinators.start('second', environment());
  // All who answer within a second; on a machine that stands still that may be nobody.
  const ping = ['request', '--raw', '$SRV.PING.swell-coordinator', '', '--replies=0', '--timeout=1s'];
  const seen = async () => JSON.parse(await runTool('nats', ['--server', coordinators.server.url, ...ping]));
  await expect.poll(seen, POLL).toMatchObject({ metadata: { coordinator: 'first' } });
  const before = await ask('history');
  await coordinators.programs[0]?.stop();
  await second.line(isLeading);
  await expect.poll(() => ask('history'), POLL).toEqual(before);
  await expect.poll(seen, POLL).toMatchObject({ metadata: { coordinator: 'second' } });
});
