/**
 * N6. A coordinator for each of two regions beside the global one, two contenders in each scope, as processes on a real bus;
 * agents with engines in memory, which know their region and nothing of scopes.
 */

import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { leaseSchema } from '@swell/shared/protocol/records.ts';
import { leaseKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { describe, expect, it } from 'vitest';
import { SERVICE } from '../fleet/fleet.ts';
import type { LogLine, Program } from '../fleet/programs.ts';
import { fleetOfThisFile, givePolicy, QUICK, untilRuns } from '../fleet/scenario.ts';
import { runSwellCommand } from '../fleet/swell-command.ts';
import { patiently, untilEntry } from '../fleet/watching.ts';

const SCOPES = { europe: 'eu', america: 'us' } as const;
const ALL: readonly (Scope | undefined)[] = [undefined, 'europe', 'america'];

describe('coordinators with a scope', () => {
  const fleet = fleetOfThisFile({
    regions: { eu: 2, us: 2, ap: 1 },
    // Nobody loses it because the machine stands still for a moment.
    coordinatorEnvironment: { SWELL_LEASE_MS: '10000' },
    memory: { v1: 'well', v2: 'well', v3: 'sick', v4: 'well' },
  });

  let v2: PinnedImage;

  it('N6: of the contenders of each scope one leads, once a region is its own', async () => {
    for (const [scope, region] of Object.entries(SCOPES)) {
      const environment = { SWELL_SCOPE: scope };
      const contenders = await Promise.all(
        ['a', 'b'].map((name) => fleet().startCoordinator(`${scope}-${name}`, environment)),
      );
      await anyOf(contenders, 'to have nothing to lead', ({ msg }) => msg.endsWith('nothing is led'));
      await fleet().nats('kv', 'put', 'swell_rollouts', `region.${region}`, JSON.stringify({ scope }));
      await anyOf(contenders, 'to lead', ({ msg }) => msg === 'leading');
      expect(contenders.filter((one) => one.has(({ msg }) => msg === 'leading')).length).toBe(1);
      await untilEntry(fleet(), `scope ${scope} to go on where the global one stood`, (entry) =>
        entry.kind === 'event' && entry.event.name === 'record-taken-over' && entry.event.scope === scope
          ? entry
          : undefined,
      );
    }
    await givePolicy(fleet(), QUICK);
  });

  it('a release goes through all, each region ordered by its own leader', async () => {
    v2 = await fleet().publishImage('v2');
    const rollout = await fleet().release({ image: `${fleet().repository}:v2` });
    for (const scope of ALL) await told('rollout-settled', rollout, scope);
    await expectOn(v2);
    const waves = fleet().log.entries.flatMap((one) => (one.kind === 'wave' ? [one.wave] : []));
    const writers = waves
      .filter(({ release }) => release.rollout === rollout)
      .map(({ region, scope }) => `${region} ${scope ?? 'global'}`);
    expect([...new Set(writers)].sort()).toEqual(['ap global', 'eu europe', 'us america']);
  });

  it('B12: one that fails in one region is halted in all', async () => {
    await fleet().publishImage('v3', 'sick');
    const rollout = await fleet().release({
      image: `${fleet().repository}:v3`,
      policy: { health: { healthyDeadline: '2s' } },
    });
    for (const scope of ALL) await told('rollout-rested', rollout, scope);
    await expectOn(v2);
  });

  it('a leader that is killed is followed by its own second, and nobody else notices', async () => {
    const before = await Promise.all(ALL.map(leaseOf));
    const leader = fleet().coordinators.get(before[1]?.coordinator ?? '');
    await leader?.kill();
    const v4 = await fleet().publishImage('v4');
    const rollout = await fleet().release({ image: `${fleet().repository}:v4` });
    for (const scope of ALL) await told('rollout-settled', rollout, scope);
    await expectOn(v4);
    const after = await Promise.all(ALL.map(leaseOf));
    const changes = after.map((lease, index) => lease.coordinator !== before[index]?.coordinator);
    expect(changes).toEqual([false, true, false]);
    expect(after.map((lease, index) => lease.term - (before[index]?.term ?? 0))).toEqual([0, 1, 0]);
  });

  it('each leader answers for its scope, the nats CLI finds them all, and the command shows them', async () => {
    const ask = async (subject: string): Promise<unknown> =>
      JSON.parse(await fleet().nats('request', '--raw', subject, ''));
    expect(await ask('swell.ask.rollout.web.europe')).toMatchObject({ regions: [{ region: 'eu' }] });
    expect(await ask('swell.ask.rollout.web')).toMatchObject({ regions: [{ region: 'ap' }] });
    expect(await fleet().nats('micro', 'ls')).toMatch(/europe-term-\d+/);
    const { code, out, err } = await runSwellCommand(fleet().server.url, ['status', SERVICE]);
    expect([code, err]).toEqual([0, '']);
    const shown = out.split('\n').map((line) => /^(?:web +(scope \w+)|  (\w+) )/.exec(line)?.slice(1));
    expect(shown.flatMap((found) => found?.filter((text) => text !== undefined) ?? [])).toEqual([
      'ap',
      'scope america',
      'us',
      'scope europe',
      'eu',
    ]);
    const doctor = await runSwellCommand(fleet().server.url, ['doctor']);
    expect(doctor.out).toMatch(
      /✓ coordinator of scope america: america-[ab], .*\n✓ coordinator of scope europe: europe-[ab],/,
    );
    const word = ['pause', SERVICE, '--scope', 'europe'];
    expect((await runSwellCommand(fleet().server.url, word)).out).toMatch(
      /there is nothing to pause: rollout \d+ is settled/,
    );
    const one = await runSwellCommand(fleet().server.url, ['explain', SERVICE, '--scope', 'europe']);
    expect(one).toMatchObject({ code: 0, out: expect.stringContaining('has settled') });
  });

  async function expectOn(image: PinnedImage): Promise<void> {
    for (const node of fleet().nodes) await untilRuns(fleet(), node, image);
  }

  async function anyOf(programs: readonly Program[], what: string, fits: (line: LogLine) => boolean) {
    const lines = programs.map((one) => one.line(fits));
    // Those who never say it end before they did.
    for (const line of lines) line.catch(() => undefined);
    await patiently(fleet(), `one of them ${what}`, Promise.race(lines));
  }

  async function told(name: EventName, rollout: number, scope: Scope | undefined): Promise<FleetEvent> {
    return untilEntry(fleet(), `${name} of ${rollout} in ${scope ?? 'the global scope'}`, (entry) =>
      entry.kind === 'event' &&
      entry.event.name === name &&
      entry.event.rollout === rollout &&
      entry.event.scope === scope
        ? entry.event
        : undefined,
    );
  }

  async function leaseOf(scope: Scope | undefined) {
    const message = await fleet().bus.readLast(STREAMS.rollouts, leaseKey(scope));
    const read = message === undefined ? undefined : decode(message.body, leaseSchema);
    if (read?.ok !== true) throw new Error(`no lease of ${scope}`);
    return read.value;
  }
});
