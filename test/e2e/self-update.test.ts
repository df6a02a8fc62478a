/**
 * An agent that updates itself, in a container of its own image. Its requests to Docker, and those of the agent that follows
 * it, go through one gate, which holds one of them: there the old one dies by SIGKILL, or the new one, or both. Whatever
 * dies, one agent remains, as the first one was made, and each attempt has one result. It needs dockerd on this machine.
 */

import { mkdir } from 'node:fs/promises';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { isResult } from '@swell/shared/domain/report.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerGate, type Moment } from '../fleet/docker-gate.ts';
import type { FleetNode } from '../fleet/fleet.ts';
import { OWN_POLICY, OwnAgents } from '../fleet/own-agents.ts';
import { fleetOfThisFile, giveWord } from '../fleet/scenario.ts';
import { nodeNamed, untilAtRest, untilLine } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

const AGENT = 'agent';
/** A lease that lapses and an attempt that is made once more, on the slowest machine. */
const TURN_MS = 240_000;

const rename = (to: string): RegExp => new RegExp(`^POST /containers/\\w+/rename\\?name=[\\w.-]*${to}$`);
const START = /^POST \/containers\/\w+\/start/;

type Dying = 'the old one' | 'the new one' | 'both';

/** In the order of a swap. */
const DEATHS: readonly (readonly [dying: Dying, when: Moment['when'], what: string, pattern: RegExp])[] = [
  ['the old one', 'after', 'the new one is created', /^POST \/containers\/create/],
  ['the old one', 'after', 'the new one is started', START],
  ['both', 'after', 'the new one is started', START],
  ['the old one', 'after', 'the old one has lost its name', rename('[.]swell-prev')],
  ['the old one', 'before', 'the commit point', rename('[.]swell-old')],
  ['the new one', 'before', 'the commit point', rename('[.]swell-old')],
  ['both', 'before', 'the commit point', rename('[.]swell-old')],
  ['the new one', 'after', 'the commit point', rename('[.]swell-old')],
  ['both', 'after', 'the commit point', rename('[.]swell-old')],
  ['the new one', 'after', 'it has its restart policy', /^POST \/containers\/\w+\/update/],
  ['the new one', 'after', 'the old one was stopped', /^POST \/containers\/\w+\/stop/],
  ['the new one', 'before', 'the old one is removed', /^DELETE \/containers\//],
];

describeWithDocker('an agent that updates itself', () => {
  const fleet = fleetOfThisFile({ regions: { a: 1 } });
  let gate: DockerGate;
  let agents: OwnAgents;
  let node: FleetNode;
  /** How the first agent's container was made, but for its image. */
  let made: unknown;

  beforeAll(async () => {
    node = nodeNamed(fleet(), 'a-1');
    await fleet().agentOf(node).stop();
    await mkdir(node.stateDir, { recursive: true });
    gate = await DockerGate.open();
    agents = await OwnAgents.build(fleet(), node);
    await fleet().policy(OWN_POLICY, AGENT);
    await agents.publish('first');
    await agents.run('first', gate.dockerHost);
    made = (await agents.alone()).made;
  }, TURN_MS);

  afterAll(async () => {
    await agents[Symbol.asyncDispose]();
    await gate[Symbol.asyncDispose]();
  });

  it('hands its node to the next one, and is removed by that', { timeout: TURN_MS }, async () => {
    const rollout = await release('plain');
    await fleet().log.untilEvent('rollout-settled', rollout);
    await expectAlone('plain');
    expect((await resultsOf(rollout)).map(({ status }) => status)).toEqual(['healthy']);
  });

  it('stands by while another one acts', { timeout: TURN_MS }, async () => {
    const second = fleet().startAgent(node);
    await untilLine(
      fleet(),
      second,
      'that it stands by',
      ({ msg, ready }) => msg === 'stands by' && ready === true,
    );
    expect(second.has(({ msg }) => msg === 'agent begins')).toBe(false);
    expect(await second.stop()).toBe(0);
  });

  it('keeps its node where the next one ends at once', { timeout: TURN_MS }, async () => {
    const rollout = await release('ends', ['ENTRYPOINT ["node", "-e", "process.exit(3)"]']);
    await fleet().log.untilEvent('rollout-rested', rollout);
    await expectAlone('plain');
    expect(await resultsOf(rollout)).toMatchObject([
      { status: 'failed', reason: 'the new agent ended before it had taken over' },
    ]);
  });

  it('is given its node back where the next one is not well', { timeout: TURN_MS }, async () => {
    const health = { http: { port: 1, path: '/' }, healthyDeadline: '2s', timeout: '1s' };
    const rollout = await release('sick', [], { health });
    await fleet().log.untilEvent('rollout-rested', rollout);
    await expectAlone('plain');
    expect((await resultsOf(rollout)).map(({ status }) => status)).toEqual(['failed']);
  });

  it('is given its node back where the rollout is halted in the middle', { timeout: TURN_MS }, async () => {
    const rollout = await release('halted', [], { health: { minHealthyTime: '4m', healthyDeadline: '5m' } });
    await agents.untilActs('halted');
    expect(await giveWord(fleet(), { action: 'halt' }, AGENT)).toMatchObject({ name: 'control-applied' });
    await fleet().log.untilEvent('rollout-rested', rollout);
    await expectAlone('plain');
    expect((await resultsOf(rollout)).map(({ status }) => status)).toEqual(['returned']);
  });

  it('waits for a bus that goes away in the middle', { timeout: TURN_MS }, async () => {
    const held = gate.hold({ pattern: START, when: 'after' });
    const rollout = await release('cut-off');
    await held.arrived;
    await fleet().server.kill();
    held.release();
    await agents.untilSays('cut-off', 'stands by');
    await fleet().server.restart();
    await fleet().log.untilEvent('rollout-settled', rollout);
    await expectAlone('cut-off');
    expect((await resultsOf(rollout)).map(({ status }) => status)).toEqual(['healthy']);
  });

  it('does not follow an image that cannot stand by', { timeout: TURN_MS }, async () => {
    const rollout = await release('stranger', ['LABEL swell.agent.standby=0']);
    const { reason } = await fleet().log.untilReport(node.name, 'refused', rollout);
    expect(reason).toContain('is no agent that can stand by');
    await expectAlone('cut-off');
  });

  describe('that dies', () => {
    it.each(DEATHS)(
      '%s, %s %s: one agent remains',
      { timeout: TURN_MS },
      async (dying, when, what, pattern) => {
        const tag = `${dying} ${when} ${what}`.replaceAll(/\W+/g, '-');
        const held = gate.hold({ pattern, when });
        const rollout = await release(tag);
        await held.arrived;
        await agents.kill(dying, tag);
        held.release();
        await fleet().log.untilEvent('rollout-settled', rollout);
        await expectAlone(tag);
        const results = await resultsOf(rollout);
        expect(results.at(-1)?.status).toBe('healthy');
        expect(new Set(results.map(({ attempt }) => attempt)).size).toBe(results.length);
      },
    );
  });

  async function release(
    tag: string,
    dockerfile: readonly string[] = [],
    policy: object = {},
  ): Promise<number> {
    const image = await agents.publish(tag, dockerfile);
    return fleet().release({ image, policy }, AGENT);
  }

  /** One container, running, under the first one's name, and as that one was made. */
  async function expectAlone(tag: string): Promise<void> {
    const { made: now, image } = await agents.alone();
    expect(now).toEqual(made);
    expect(image).toBe(await agents.imageOf(tag));
  }

  /** The log is a copy, and may be late. */
  async function resultsOf(rollout: number): Promise<readonly NodeReport[]> {
    await untilAtRest(fleet());
    return fleet()
      .log.reports(rollout)
      .filter(({ status }) => isResult(status));
  }
});
