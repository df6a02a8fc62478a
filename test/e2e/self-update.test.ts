/**
 * An agent that updates itself, in a container of its own image. Its requests to Docker, and those of the agent that follows
 * it, go through one gate, which can hold one of them. One agent remains, as the first one was made, and each attempt has one
 * result. It needs dockerd on this machine.
 */

import { expect, it } from 'vitest';
import { giveWord } from '../fleet/scenario.ts';
import { AGENT, selfUpdatingOfThisFile, TURN_MS } from '../fleet/self-updating.ts';
import { untilLine } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

const START = /^POST \/containers\/\w+\/start/;

describeWithDocker('an agent that updates itself', () => {
  const own = selfUpdatingOfThisFile();

  it('hands its node to the next one, and is removed by that', { timeout: TURN_MS }, async () => {
    const rollout = await own().release('plain');
    await own().fleet.log.untilEvent('rollout-settled', rollout);
    await own().expectAlone('plain');
    expect((await own().resultsOf(rollout)).map(({ status }) => status)).toEqual(['healthy']);
  });

  it('stands by while another one acts', { timeout: TURN_MS }, async () => {
    const second = own().fleet.startAgent(own().node);
    await untilLine(
      own().fleet,
      second,
      'that it stands by',
      ({ msg, ready }) => msg === 'stands by' && ready === true,
    );
    expect(second.has(({ msg }) => msg === 'agent begins')).toBe(false);
    expect(await second.stop()).toBe(0);
  });

  it('keeps its node where the next one ends at once', { timeout: TURN_MS }, async () => {
    const rollout = await own().release('ends', ['ENTRYPOINT ["node", "-e", "process.exit(3)"]']);
    await own().fleet.log.untilEvent('rollout-rested', rollout);
    await own().expectAlone('plain');
    expect(await own().resultsOf(rollout)).toMatchObject([
      { status: 'failed', reason: 'the new agent ended before it had taken over' },
    ]);
  });

  it('is given its node back where the next one is not well', { timeout: TURN_MS }, async () => {
    const health = { http: { port: 1, path: '/' }, healthyDeadline: '2s', timeout: '1s' };
    const rollout = await own().release('sick', [], { health });
    await own().fleet.log.untilEvent('rollout-rested', rollout);
    await own().expectAlone('plain');
    expect((await own().resultsOf(rollout)).map(({ status }) => status)).toEqual(['failed']);
  });

  it('is given its node back where the rollout is halted in the middle', { timeout: TURN_MS }, async () => {
    const rollout = await own().release('halted', [], {
      health: { minHealthyTime: '4m', healthyDeadline: '5m' },
    });
    await own().agents.untilActs('halted');
    expect(await giveWord(own().fleet, { action: 'halt' }, AGENT)).toMatchObject({ name: 'control-applied' });
    await own().fleet.log.untilEvent('rollout-rested', rollout);
    await own().expectAlone('plain');
    expect((await own().resultsOf(rollout)).map(({ status }) => status)).toEqual(['returned']);
  });

  it('waits for a bus that goes away in the middle', { timeout: TURN_MS }, async () => {
    const held = own().gate.hold({ pattern: START, when: 'after' });
    const rollout = await own().release('cut-off');
    await held.arrived;
    await own().fleet.server.kill();
    held.release();
    await own().agents.untilSays('cut-off', 'stands by');
    await own().fleet.server.restart();
    await own().fleet.log.untilEvent('rollout-settled', rollout);
    await own().expectAlone('cut-off');
    expect((await own().resultsOf(rollout)).map(({ status }) => status)).toEqual(['healthy']);
  });

  it('does not follow an image that cannot stand by', { timeout: TURN_MS }, async () => {
    const rollout = await own().release('stranger', ['LABEL swell.agent.standby=0']);
    const { reason } = await own().fleet.log.untilReport(own().node.name, 'refused', rollout);
    expect(reason).toContain('is no agent that can stand by');
    await own().expectAlone('cut-off');
  });
});
