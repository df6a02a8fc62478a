/**
 * Clients behind a real HAProxy notice nothing of a rollout: every node leaves its rotation before its container stops,
 * and is back in it before the next one leaves. The configuration is the one that we ship (deploy/haproxy).
 */

import { describe, expect, it } from 'vitest';
import { SERVICE } from '../fleet/fleet.ts';
import type { Program } from '../fleet/programs.ts';
import { expectOn, fleetOfThisFile, givePolicy, giveWord } from '../fleet/scenario.ts';
import { firstToSay, patiently, untilEntry, untilEvent, untilSo } from '../fleet/watching.ts';
import { describeWithHaproxy } from '../support/needs.ts';
import { runTool } from '../support/tools.ts';
import {
  BY_AGENT_CHECK,
  BY_HTTP,
  balancedFleet,
  SERVERS,
  UNDRAINED,
} from '../support/traffic/balanced-fleet.ts';
import { type Backend, Haproxy, isIn, type Server, SHIPPED } from '../support/traffic/haproxy.ts';
import { Requests } from '../support/traffic/requests.ts';
import { RotationWatch } from '../support/traffic/rotation-watch.ts';

const balanced = await balancedFleet();
const UNNOTICED = { failed: 0, failures: {} };

describeWithHaproxy('the configuration that we ship', () => {
  it('is one, as it stands', async () => {
    expect(await runTool('haproxy', ['-c', '-V', '-f', SHIPPED])).toContain('is valid');
  });
});

describeWithHaproxy('traffic', () => {
  const fleet = fleetOfThisFile(balanced.options);

  describe('with the agent check', () => {
    it('no request fails while every node is updated, and HAProxy never misses more than one', async () => {
      await givePolicy(fleet(), BY_AGENT_CHECK);
      const v2 = await fleet().publishImage('v2');
      const seen = await underLoad('web', async () => {
        const rollout = await fleet().release({ image: `${fleet().repository}:v2` });
        await untilEvent(fleet(), 'rollout-settled', rollout);
      });
      expect(seen.outcome).toEqual({ ...UNNOTICED, mostOut: 1, everOut: SERVERS });
      await expectOn(fleet(), v2);
    });

    it('a node that is back takes more and more', async () => {
      await givePolicy(fleet(), { ...BY_AGENT_CHECK, rejoin: { ...BY_AGENT_CHECK.rejoin, ramp: '5s' } });
      const v3 = await fleet().publishImage('v3');
      const seen = await underLoad('web', async () => {
        const rollout = await fleet().release({ image: `${fleet().repository}:v3` });
        await untilEvent(fleet(), 'rollout-settled', rollout);
      });
      expect(seen.outcome).toEqual({ ...UNNOTICED, mostOut: 1, everOut: SERVERS });
      await expectOn(fleet(), v3);
      for (const server of SERVERS) {
        const weights = weightsSinceBack(seen.servers.get(server) ?? []);
        const [first] = weights;
        expect({ server, weights }).toEqual({ server, weights: weights.toSorted((a, b) => a - b) });
        expect({ server, first, last: weights.at(-1), isGradual: weights.length > 3 }).toEqual({
          server,
          first: expect.toSatisfy((weight: number) => weight < 50),
          last: 100,
          isGradual: true,
        });
      }
    });

    it('no request fails when a person halts it in the middle', async () => {
      await givePolicy(fleet(), BY_AGENT_CHECK);
      const v3 = await fleet().publishImage('v3');
      await fleet().publishImage('v4');
      const seen = await underLoad('web', async () => {
        const rollout = await fleet().release({ image: `${fleet().repository}:v4` });
        const first = await firstToSay(fleet(), 'healthy', rollout);
        await untilOneMoreUpdates(first.name, rollout);
        await giveWord(fleet(), { action: 'halt', reason: 'customers complain' });
        await untilEvent(fleet(), 'rollout-rested', rollout);
      });
      expect(seen.outcome).toEqual({ ...UNNOTICED, mostOut: 1, everOut: expect.anything() });
      await expectOn(fleet(), v3);
    });

    it('no request fails where an agent was frozen for longer than its drain takes', async () => {
      const drain = { checks: 1, time: '2s', max: '20s' };
      await givePolicy(fleet(), { ...UNDRAINED, drain, rejoin: BY_AGENT_CHECK.rejoin });
      const v5 = await fleet().publishImage('v5');
      const seen = await underLoad('web', async (haproxy) => {
        const draining = firstToDrain();
        const rollout = await fleet().release({ image: `${fleet().repository}:v5` });
        const { agent, server } = await patiently(fleet(), 'anybody to drain', draining);
        agent.signal('SIGSTOP');
        await untilSo(
          fleet(),
          `HAProxy to wait for the agent of ${server} in vain`,
          async () => (await haproxy.agentCheckOf(server))?.includes('TOUT') === true,
        );
        agent.signal('SIGCONT');
        await untilEvent(fleet(), 'rollout-settled', rollout);
      });
      expect(seen.outcome).toEqual({ ...UNNOTICED, mostOut: 1, everOut: SERVERS });
      await expectOn(fleet(), v5);
    });

    it('no request fails while every agent is started again', async () => {
      const seen = await underLoad('web', async () => {
        for (const node of fleet().nodes) await fleet().agentOf(node).kill();
        for (const node of fleet().nodes) fleet().startAgent(node);
        for (const node of fleet().nodes) await fleet().untilPresent(node);
      });
      expect(seen.outcome).toEqual({ ...UNNOTICED, mostOut: 0, everOut: [] });
    });
  });

  describe('over HTTP alone', () => {
    it('no request fails while every node is updated, and HAProxy never misses more than one', async () => {
      await givePolicy(fleet(), BY_HTTP);
      const v6 = await fleet().publishImage('v6');
      const seen = await underLoad('web-by-http', async () => {
        const rollout = await fleet().release({ image: `${fleet().repository}:v6` });
        await untilEvent(fleet(), 'rollout-settled', rollout);
      });
      expect(seen.outcome).toEqual({ ...UNNOTICED, mostOut: 1, everOut: SERVERS });
      await expectOn(fleet(), v6);
    });
  });

  /** What clients and HAProxy saw while something was done, until all servers were in rotation as before. */
  async function underLoad(backend: Backend, act: (haproxy: Haproxy) => Promise<void>) {
    await using haproxy = await Haproxy.start(backend, balanced.portsOf(fleet()));
    const before = await haproxy.servers();
    await using watch = new RotationWatch(haproxy);
    await using requests = await Requests.open({ port: haproxy.port, connections: 60, everyMs: 500 });
    await act(haproxy);
    const whole = JSON.stringify(before);
    await untilSo(
      fleet(),
      `HAProxy to see its servers as before: ${whole}`,
      async () => JSON.stringify(await haproxy.servers()) === whole,
    );
    await untilSo(fleet(), 'requests to have been sent all the time', async () => requests.count > 200);
    const everOut = [...watch.seen].filter(([, states]) => states.some((state) => !isIn(state)));
    const { failed, failures } = requests.take();
    return {
      outcome: { failed, failures, mostOut: watch.mostOut, everOut: everOut.map(([name]) => name).sort() },
      servers: watch.seen,
    };
  }

  /** Whoever drains first from now on, and what HAProxy calls his node. */
  function firstToDrain(): Promise<{ readonly agent: Program; readonly server: string }> {
    return Promise.race(
      fleet().nodes.map(async (node, index) => {
        const agent = fleet().agentOf(node);
        await agent.line(({ phase }) => phase === 'draining', agent.said);
        return { agent, server: SERVERS[index] ?? '' };
      }),
    );
  }

  /** The next one has begun, so that the halt finds it in the middle. */
  async function untilOneMoreUpdates(but: string, rollout: number): Promise<void> {
    await untilEntry(fleet(), `anybody but ${but} to say updating of rollout ${rollout}`, (entry) =>
      entry.kind === 'report' &&
      entry.report.service === SERVICE &&
      entry.report.rollout === rollout &&
      entry.report.status === 'updating' &&
      entry.report.node !== but
        ? entry
        : undefined,
    );
  }
});

/** The weights of a server, one after the other, since it was out the last time. */
function weightsSinceBack(seen: readonly Server[]): readonly number[] {
  return seen.slice(seen.findLastIndex((server) => !isIn(server)) + 1).map(({ weight }) => weight);
}
