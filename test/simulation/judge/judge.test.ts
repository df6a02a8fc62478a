/** The judge in whole worlds: it reads what the log's readers read, and goes on where the bus was set back. */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { describeReport } from '@swell/shared/protocol/reports.ts';
import { healthSubject, STREAMS, slotKey } from '@swell/shared/protocol/subjects.ts';
import { expect, test } from 'vitest';
import { readShapes } from '../bus/definition.ts';
import { releaseNext } from '../deliveries.ts';
import { drawPolicy, LAST_POLICY } from '../draw-policy.ts';
import { CALM } from '../profile.ts';
import { SERVICE, World } from '../world.ts';

const shapes = await readShapes();

/** A small fleet in calm weather, after its first update. */
async function settled(seed: string): Promise<World> {
  const world = new World({ seed, nodes: 9, profile: CALM, shapes });
  world.startAll();
  await world.run(30_000);
  world.policy({
    ...drawPolicy(world.chance.fork('policy'), CALM),
    ...LAST_POLICY,
    stages: [100],
    soak: '0s',
  });
  releaseNext(world);
  await world.run(300_000);
  expect(world.truth.updates).toBe(9);
  return world;
}

/** Of one stream's part of a log, which is in order. */
function told(entries: readonly (LogEntry | undefined)[], kind: LogEntry['kind']): readonly object[] {
  return entries
    .filter((entry) => entry?.kind === kind)
    .map((entry) => {
      const { sequence: _, atMs: __, ...record } = entry as LogEntry;
      return record;
    });
}

test('the world reads at the instant what SWELL_LOG shows its readers a moment later', async () => {
  const world = await settled('reader');
  const log = [...world.server.log()].map((message) => readLogEntry(message));
  for (const kind of ['release', 'wave', 'halt', 'slot', 'report', 'event'] as const)
    expect({ kind, told: told(world.judge.entries, kind) }).toEqual({ kind, told: told(log, kind) });
  expect(told(log, 'report').length).toBeGreaterThan(20);
});

test.each([STREAMS.orders, STREAMS.slots, STREAMS.releases])(
  'where %s is set back to its beginning, revisions begin again and no rule is said to be broken',
  async (stream) => {
    const world = await settled('set back');
    world.server.recreate(stream);
    releaseNext(world);
    await world.run(600_000);
    world.judge.finish(new Set());
    expect(world.truth.violations).toEqual([]);
  },
);

test('a slot that is stolen before all eyes is a violation at its instant, of the node and the region that it concerns', async () => {
  const world = await settled('thief');
  const holder = (node: string) => encode({ node, rollout: 2, attempt: '2.update.1', leaseMs: 120_000 });
  const subject = slotKey('eu-west', SERVICE, 0);
  world.say(subject, holder('n1'));
  await world.run(1_000);
  const atMs = world.nowMs;
  world.say(subject, holder('n2'));
  expect(world.truth.violations).toEqual([
    {
      rule: 'I7',
      atMs,
      message: expect.stringMatching(/^n2 took slot 0 of web in eu-west at revision \d+ from n1/),
      concern: { region: 'eu-west', node: 'n2', rollout: 2, others: ['n1', 'n2'] },
    },
  ]);
});

test('what a program stores and nobody can read breaks the wire', async () => {
  const world = await settled('wire');
  world.judge.stored(
    STREAMS.health,
    {
      subject: healthSubject('eu-west', SERVICE, 'n0'),
      sequence: 1,
      storedAtMs: 0,
      deleted: false,
      body: encode({}),
    },
    false,
  );
  expect(world.truth.violations).toMatchObject([
    { rule: 'wire', message: 'what was stored on swell.health.eu-west.web.n0 does not parse' },
  ]);
});

test('a result that was told twice in different words is none of the node’s fault once its journal was set back', async () => {
  const world = await settled('twice');
  const entry = world.judge.entries.find((one) => one.kind === 'report' && one.report.status === 'healthy');
  if (entry?.kind !== 'report') throw new Error('nobody is healthy');
  const { region, node } = entry.report;
  const again = { ...entry.report, id: 'again', status: 'interrupted', reason: describeReport(entry.report) };
  const model = world.nodes.find(({ model: { name } }) => name === node)?.model;
  model?.loseDisk();
  world.say(healthSubject(region, SERVICE, node), encode(again));
  expect({ violations: world.truth.violations, excused: [...world.judge.excused] }).toEqual({
    violations: [],
    excused: [['I8: a journal was lost or set back before its result was told', 1]],
  });
});
