/** Coordinators that die, freeze and come back. Nothing that was decided is lost, and nobody decides twice. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { expect, it } from 'vitest';
import type { Program } from '../fleet/programs.ts';
import { expectOn, fleetOfThisFile, GATED, giveWord, letAllPass, letPass } from '../fleet/scenario.ts';
import { nodeNamed, untilEntry, untilEvent, untilLine, untilReport } from '../fleet/watching.ts';
import { describeWithDocker } from '../support/needs.ts';

const LEADING = 'leading';

describeWithDocker('coordinators', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 2, 'us-east': 1 } });
  let leader: Program;

  it('killed half-way: what nodes and people say meanwhile is heard by the next one, which goes on', async () => {
    leader = program('first');
    const v2 = await fleet().publishImage('v2');
    const rollout = await release(v2);
    const begun = await untilBegun(rollout, 2);
    await leader.kill();
    // Nobody leads. Nodes end what they began, and an operator speaks.
    for (const name of begun) await letPass(fleet(), nodeNamed(fleet(), name), v2);
    for (const name of begun) await untilReport(fleet(), nodeNamed(fleet(), name), 'healthy', rollout);
    const answer = giveWord(fleet(), { action: 'pause', reason: 'who leads?' });
    leader = await fleet().startCoordinator('second');
    expect(await answer).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-paused', rollout);
    expect(begunNodes(rollout)).toEqual(begun);
    expect(await giveWord(fleet(), { action: 'resume' })).toMatchObject({ name: 'control-applied' });
    await letAllPass(fleet(), v2);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v2);
    expect(cursorsFell(rollout)).toEqual([]);
  });

  it('a release that nobody was there to hear is heard by the next one', async () => {
    const v3 = await fleet().publishImage('v3');
    await leader.kill();
    const rollout = await fleet().release({ image: `${fleet().repository}:v3` });
    // The next one is to wait until it is killed, also where the machine stands still for a moment.
    leader = await fleet().startCoordinator('third', { SWELL_LEASE_MS: '10000' });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v3);
  });

  it('two of them: only one leads, and when it is killed the other one takes over', async () => {
    const rival = await fleet().startCoordinator('rival');
    const v4 = await fleet().publishImage('v4');
    const rollout = await release(v4);
    await untilBegun(rollout, 2);
    expect(rival.has(({ msg }) => msg === LEADING)).toBe(false);
    await leader.kill();
    await untilLine(fleet(), rival, 'that it leads', ({ msg }) => msg === LEADING);
    leader = rival;
    await letAllPass(fleet(), v4);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v4);
    expect(cursorsFell(rollout)).toEqual([]);
  });

  it('frozen beyond its lease: the other one takes over, and it does no harm when it thaws', async () => {
    const before = leader.said;
    const rival = await fleet().startCoordinator('heir');
    const v5 = await fleet().publishImage('v5');
    const rollout = await release(v5);
    await untilBegun(rollout, 2);
    leader.signal('SIGSTOP');
    await untilLine(fleet(), rival, 'that it leads', ({ msg }) => msg === LEADING);
    leader.signal('SIGCONT');
    await untilLine(fleet(), leader, 'that its term ended', ({ msg }) => msg === 'term ended', before);
    await letAllPass(fleet(), v5);
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await expectOn(fleet(), v5);
    expect(cursorsFell(rollout)).toEqual([]);
    // It is still good for something: it takes over in its turn.
    expect(await rival.stop()).toBe(0);
    await untilLine(fleet(), leader, 'that it leads again', ({ msg }) => msg === LEADING, before);
  });

  it('killed in the middle of a halt: the next one brings everybody back', async () => {
    const v5 = await fleet().publishImage('v5');
    await fleet().publishImage('v6');
    const rollout = await fleet().release({ image: `${fleet().repository}:v6` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    await fleet().control({ action: 'halt' });
    await untilEntry(fleet(), 'the halt to be stored', (entry) =>
      entry.kind === 'halt' && entry.halt?.rollout === rollout ? entry : undefined,
    );
    await leader.kill();
    leader = await fleet().startCoordinator('last');
    await untilEvent(fleet(), 'rollout-rested', rollout);
    await expectOn(fleet(), v5);
  });

  function program(name: string): Program {
    const found = fleet().coordinators.get(name);
    if (found === undefined) throw new Error(`no coordinator is called ${name}`);
    return found;
  }

  function release({ tag }: PinnedImage): Promise<number> {
    return fleet().release({ image: `${fleet().repository}:${tag}`, ...GATED });
  }

  function begunNodes(rollout: number): readonly string[] {
    const updating = fleet()
      .log.reports(rollout)
      .filter(({ status }) => status === 'updating');
    return [...new Set(updating.map((report) => report.node))].sort();
  }

  /** With gates closed, as many begin as there are slots. */
  async function untilBegun(rollout: number, count: number): Promise<readonly string[]> {
    await untilEntry(
      fleet(),
      `${count} nodes to begin`,
      () => begunNodes(rollout).length >= count || undefined,
    );
    return begunNodes(rollout);
  }

  /** Regions whose cursor was ever below where it had been (I4). */
  function cursorsFell(rollout: number): readonly string[] {
    const highest = new Map<string, number>();
    return fleet().log.entries.flatMap((entry) => {
      if (entry.kind !== 'wave' || entry.wave.release.rollout !== rollout) return [];
      const { region, cursor } = entry.wave;
      const before = highest.get(region) ?? 0;
      highest.set(region, Math.max(before, cursor));
      return cursor < before ? [region] : [];
    });
  }
});
