import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import type { NodeStatus } from '@swell/shared/domain/report.ts';
import {
  emptyRecord,
  type Rollout,
  type RolloutPhase,
  type ServiceRecord,
} from '@swell/shared/domain/rollout.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { parseWindow } from '@swell/shared/domain/window.ts';
import { describe, expect, it, test } from 'vitest';
import { drawStatus } from './draw-status.ts';
import { clipped, paint, row } from './rows.ts';
import { Sightings } from './sightings.ts';
import { exitCodeOf, summarize } from './status.ts';

const digestOf = (number: number): string => `sha256:${String(number).padStart(64, '0')}`;

const RELEASE = {
  rollout: 7,
  service: 'web',
  image: { repository: 'registry.example/web', digest: digestOf(7), tag: 'v7' },
  version: 'v7',
};

function rolloutIn(phase: RolloutPhase, more: Partial<Rollout> = {}): Rollout {
  return {
    release: RELEASE,
    seed: 'seed',
    overrides: {},
    phase,
    grouping: 'parallel',
    group: 0,
    percent: 50,
    regions: { eu: { cursor: 0.6, stageBelow: 0.6, slots: 2, nodes: 4 } },
    pace: {},
    closed: [],
    halfway: [],
    lost: [],
    ...more,
  };
}

function record(more: Partial<ServiceRecord>): ServiceRecord {
  return { ...emptyRecord('web'), releasesTaken: { sequence: 7, storedAtMs: 1 }, ...more };
}

const WAVE: Wave = {
  region: 'eu',
  service: 'web',
  release: RELEASE,
  phase: 'open',
  stage: { number: 2, of: 3, percent: 50 },
  seed: 'seed',
  stageBelow: 0.6,
  cursor: 0.6,
  slots: 2,
  slotLeaseMs: 1,
  stagingSpreadMs: 0,
  health: DEFAULT_POLICY.health,
  drain: DEFAULT_POLICY.drain,
  rejoin: DEFAULT_POLICY.rejoin,
};

/** Four nodes of one region: updated, underway in slot 0, failed, waiting. */
function halfWay(phase: RolloutPhase, more: Partial<Rollout> = {}): Sightings {
  const sightings = new Sightings('web');
  sightings.see({ kind: 'record', record: record({ rollout: rolloutIn(phase, more) }) });
  sightings.see({ kind: 'wave', region: 'eu', wave: WAVE });
  const said: readonly (readonly [string, number, NodeStatus | undefined])[] = [
    ['n1', 7, 'healthy'],
    ['n2', 6, 'updating'],
    ['n3', 6, 'failed'],
    ['n4', 6, undefined],
  ];
  for (const [node, running, status] of said) {
    const presence = { running: digestOf(running), phase: 'idle', ready: true };
    sightings.see({ kind: 'presence', region: 'eu', node, presence });
    if (status === undefined) continue;
    const reason = status === 'failed' ? { reason: 'it crashed' } : {};
    const report = { id: node, region: 'eu', node, service: 'web', rollout: 7, status, ...reason };
    sightings.see({ kind: 'report', report });
  }
  const holder = { node: 'n2', rollout: 7, attempt: 'a', leaseMs: 1 };
  sightings.see({ kind: 'slot', region: 'eu', slot: 0, holder });
  return sightings;
}

const texts = (sightings: Sightings): readonly string[] =>
  drawStatus(summarize(sightings)).map((one) => paint(one, false));

function told(...names: readonly FleetEvent['name'][]): Sightings {
  const sightings = new Sightings('web');
  names.forEach((name, index) => {
    const event = { id: `${index}`, name, service: 'web', rollout: 7, line: `${name} of 7` };
    sightings.see({ kind: 'event', told: { event, atMs: index } });
  });
  return sightings;
}

describe('how the present rollout stands', () => {
  it('counts who is where, and names who is in trouble', () => {
    expect(summarize(halfWay({ name: 'rolling' }))).toEqual({
      service: 'web',
      phase: 'rolling',
      ended: false,
      rollout: 7,
      version: 'v7',
      image: `registry.example/web@${digestOf(7)}`,
      paused: false,
      stage: { number: 2, of: 3, percent: 50 },
      regions: [
        {
          region: 'eu',
          wave: 'open',
          cursor: 0.6,
          slots: { of: 2, held: { 0: 'n2' } },
          nodes: 4,
          standing: {
            updated: 1,
            underway: 1,
            staged: 0,
            waiting: 1,
            held: 0,
            refused: 0,
            failed: 1,
            back: 0,
          },
        },
      ],
      troubles: [{ region: 'eu', node: 'n3', standing: 'failed', reason: 'it crashed' }],
    });
  });

  it('is drawn with its stage, its nodes, its slots, and each trouble', () => {
    expect(texts(halfWay({ name: 'rolling' }))).toEqual([
      'web  rollout 7 (v7)  rolling, stage 2 of 3 (50 %)',
      `  eu  ${'█'.repeat(6)}${'✗'.repeat(6)}${'▒'.repeat(6)}${'·'.repeat(6)}  ■□  1 of 4 updated, 1 underway, 1 failed`,
      '  ✗ eu.n3 failed: it crashed',
    ]);
  });

  it('names the stage of the canaries, and says of who does not follow what it is', () => {
    const sightings = halfWay({ name: 'rolling' }, { percent: 0 });
    const wave = { ...WAVE, stage: { number: 0, of: 2, percent: 0 } };
    sightings.see({ kind: 'wave', region: 'eu', wave });
    const said = [
      ['n2', 'stage-failed', 'no such image'],
      ['n4', 'refused', 'held: new disks'],
    ] as const;
    for (const [node, status, reason] of said) {
      const report = {
        id: `${node} ${status}`,
        region: 'eu',
        node,
        service: 'web',
        rollout: 7,
        status,
        reason,
      };
      sightings.see({ kind: 'report', report });
    }
    const [head, region, ...troubles] = texts(sightings);
    expect(head).toBe('web  rollout 7 (v7)  rolling, its canaries');
    expect(region).toMatch(/1 of 4 updated, 1 without the image, 1 not following, 1 failed$/);
    expect(troubles).toEqual([
      '  ‖ eu.n2 without the image: no such image',
      '  ✗ eu.n3 failed: it crashed',
      '  ‖ eu.n4 not following: held: new disks',
    ]);
  });

  it('tells of a node that cannot end what it has begun', () => {
    const sightings = halfWay({ name: 'rolling' });
    const reason = 'the port is taken';
    const report = { id: 's', region: 'eu', node: 'n2', service: 'web', rollout: 7, reason } as const;
    sightings.see({ kind: 'report', report: { ...report, status: 'stuck' } });
    expect(texts(sightings)).toContain('  ‖ eu.n2 underway: the port is taken');
  });

  it('says what a person may do where it waits for one', () => {
    expect(texts(halfWay({ name: 'gated' }))[1]).toBe(
      '  waits for approval: swell approve web, or swell halt web',
    );
    const paused = halfWay({ name: 'rolling' }, { paused: { sinceMs: 1, reason: 'lunch' } });
    expect(texts(paused).slice(0, 3)).toEqual([
      'web  rollout 7 (v7)  rolling, paused, stage 2 of 3 (50 %)',
      '  lunch',
      '  swell resume web, or swell halt web',
    ]);
  });

  it('shows what is proposed, and how to answer it', () => {
    const sightings = new Sightings('web');
    const proposal = { digest: digestOf(8), sinceMs: 1 };
    const watched = { image: 'registry.example/web:latest', seen: digestOf(8), known: [], proposal };
    sightings.see({ kind: 'record', record: record({ watched, rollout: rolloutIn({ name: 'settled' }) }) });
    const found = summarize(sightings);
    expect(found.proposal).toEqual({ image: 'registry.example/web:latest', digest: digestOf(8) });
    const drawn = drawStatus(found).map((line) => paint(line, false));
    expect(drawn).toContain(`  proposed: registry.example/web:latest is ${digestOf(8)}`);
    expect(drawn).toContain('  swell approve web --digest …, or swell reject web --digest …');
  });

  it('a node whose slot was lost has failed, whatever it said last', () => {
    const lost = [{ region: 'eu', node: 'n2', revision: 3 }];
    expect(summarize(halfWay({ name: 'rolling' }, { lost })).troubles).toEqual([
      { region: 'eu', node: 'n2', standing: 'failed', reason: 'it lost its slot' },
      { region: 'eu', node: 'n3', standing: 'failed', reason: 'it crashed' },
    ]);
  });

  it('a node that speaks of another release by now has failed this one all the same', () => {
    const sightings = halfWay({ name: 'rested', reason: 'bad' });
    const after = {
      id: 'x',
      region: 'eu',
      node: 'n3',
      service: 'web',
      rollout: 6,
      status: 'healthy' as const,
    };
    sightings.see({ kind: 'report', report: after });
    for (const node of ['n3', 'gone']) {
      const line = `${node} in eu failed rollout 7 of web: it crashed: exit code 3`;
      const event = {
        id: node,
        name: 'node-failed' as const,
        service: 'web',
        rollout: 7,
        region: 'eu',
        node,
        line,
      };
      sightings.see({ kind: 'event', told: { event, atMs: 1 } });
    }
    const { troubles, regions } = summarize(sightings);
    expect(troubles).toEqual([
      { region: 'eu', node: 'n3', standing: 'failed', reason: 'it crashed: exit code 3' },
      { region: 'eu', node: 'gone', standing: 'failed', reason: 'it crashed: exit code 3' },
    ]);
    expect(regions[0]?.standing.failed).toBe(1);
  });

  it('a node that is away is in no region, and a slot that is freed is in no hand', () => {
    const sightings = halfWay({ name: 'rolling' });
    sightings.see({ kind: 'presence', region: 'eu', node: 'n4' });
    sightings.see({ kind: 'slot', region: 'eu', slot: 0 });
    expect(summarize(sightings).regions[0]).toMatchObject({ nodes: 3, slots: { of: 2, held: {} } });
  });

  it('a region whose wave is of another release shows none of it', () => {
    const sightings = halfWay({ name: 'rolling' });
    sightings.see({ kind: 'wave', region: 'eu', wave: { ...WAVE, release: { ...RELEASE, rollout: 6 } } });
    const { stage, regions } = summarize(sightings);
    expect([stage, regions[0]?.wave, regions[0]?.slots.of]).toEqual([undefined, undefined, 1]);
  });

  it('one updated node of a thousand has its place in the picture', () => {
    const sightings = new Sightings('web');
    sightings.see({ kind: 'record', record: record({ rollout: rolloutIn({ name: 'rolling' }) }) });
    for (let index = 0; index < 1_000; index += 1) {
      const presence = { running: digestOf(index === 0 ? 7 : 6), phase: 'idle', ready: true };
      sightings.see({ kind: 'presence', region: 'eu', node: `n${index}`, presence });
    }
    expect(texts(sightings)[1]).toBe(`  eu  █${'·'.repeat(23)}    1 of 1000 updated`);
  });
});

describe('what a wait ends with', () => {
  test.each<[RolloutPhase, boolean, number]>([
    [{ name: 'staging' }, false, 3],
    [{ name: 'rolling' }, false, 3],
    [{ name: 'gated' }, false, 3],
    [{ name: 'settled' }, true, 0],
    // Nodes are still on their way back: there is no doubt left, but something to see.
    [{ name: 'halting', reason: 'bad' }, false, 2],
    [{ name: 'rested', reason: 'bad' }, true, 2],
    [{ name: 'aborted', reason: 'bad' }, true, 2],
  ])('%j: over %s, exit code %i', (phase, ended, code) => {
    const found = summarize(halfWay(phase));
    expect([found.ended, exitCodeOf(found)]).toEqual([ended, code]);
  });

  it('of a service without a release there is nothing to wait for', () => {
    expect(summarize(new Sightings('web'))).toMatchObject({ phase: 'none', ended: false });
  });

  it('a release that no coordinator has taken may still come', () => {
    const sightings = new Sightings('web');
    expect(summarize(sightings, 7)).toMatchObject({ rollout: 7, phase: 'published', ended: false });
    sightings.see({ kind: 'record', record: record({ releasesTaken: { sequence: 6, storedAtMs: 1 } }) });
    expect(summarize(sightings, 7)).toMatchObject({ phase: 'published', ended: false });
  });

  it('a release that was published beside an older rollout is the one to look at, until it is taken', () => {
    const sightings = halfWay({ name: 'settled' });
    sightings.see({ kind: 'release', rollout: 9 });
    expect(summarize(sightings)).toMatchObject({ rollout: 9, phase: 'published', ended: false });
    expect(summarize(sightings, 7)).toMatchObject({ rollout: 7, phase: 'settled' });
    const taken = { releasesTaken: { sequence: 9, storedAtMs: 2 } };
    sightings.see({ kind: 'record', record: record({ rollout: rolloutIn({ name: 'settled' }), ...taken }) });
    expect(summarize(sightings)).toMatchObject({ rollout: 7, phase: 'settled' });
  });

  it('where a region waits for another service, it says for what', () => {
    const awaiting = { regions: ['eu'], reason: 'rollout 6 of db, which is under way' };
    expect(summarize(halfWay({ name: 'rolling' }, { awaiting })).reason).toBe(
      'eu: waits for rollout 6 of db, which is under way',
    );
    expect(summarize(halfWay({ name: 'settled' }, { awaiting })).reason).toBeUndefined();
  });

  it('where a window is closed, it says where, and when it is open', () => {
    const window = parseWindow('mon-fri 22:00-05:00 Europe/Vienna');
    if (typeof window === 'string') throw new Error(window);
    const overrides = { windows: { eu: { windows: [window], except: ['2026-12-24'] } } };
    const why = 'nobody starts in eu (open mon-fri 22:00-05:00 Europe/Vienna, not on 2026-12-24)';
    const closed = { overrides, closed: ['eu'] };
    expect(summarize(halfWay({ name: 'rolling' }, closed)).reason).toBe(why);
    expect(summarize(halfWay({ name: 'soaking', sinceMs: 1 }, closed)).reason).toBeUndefined();
    const awaiting = { regions: ['eu'], reason: 'db' };
    expect(summarize(halfWay({ name: 'staging' }, { ...closed, awaiting })).reason).toBe(
      `${why}; eu: waits for db`,
    );
  });

  it('a candidate that waits for one thing after the other says the last', () => {
    const sightings = told('release-delayed');
    const line = 'release 7 of web waits for rollout 6 of db, which is under way';
    const event = {
      id: 'web.7.release-delayed.2',
      name: 'release-delayed',
      service: 'web',
      rollout: 7,
      line,
    } as const;
    sightings.see({ kind: 'event', told: { event, atMs: 2 } });
    const candidate = {
      rollout: 7,
      image: { repository: 'r/web' },
      overrides: {},
      acceptHalted: false,
      publishedAtMs: 1,
    };
    sightings.see({ kind: 'record', record: record({ candidate }) });
    expect(summarize(sightings).reason).toBe(line);
  });

  it('a candidate is awaited before the rollout that is there, and says why it takes long', () => {
    const sightings = told('release-delayed');
    const candidate = {
      rollout: 7,
      image: { repository: 'r/web' },
      overrides: {},
      acceptHalted: false,
      publishedAtMs: 1,
    };
    const before = { ...rolloutIn({ name: 'settled' }), release: { ...RELEASE, rollout: 6 } };
    sightings.see({ kind: 'record', record: record({ candidate, rollout: before }) });
    expect(summarize(sightings)).toMatchObject({
      rollout: 7,
      phase: 'resolving',
      ended: false,
      reason: 'release-delayed of 7',
    });
  });

  it.each<[readonly FleetEvent['name'][], string, number]>([
    [['release-rejected'], 'rejected', 2],
    [['rollout-started', 'rollout-superseded'], 'superseded', 2],
    [['rollout-started', 'rollout-aborted'], 'aborted', 2],
    [['rollout-started', 'rollout-settled'], 'settled', 0],
    [['rollout-started'], 'superseded', 2],
  ])('of one that is past the log tells the end: %j', (names, phase, code) => {
    const sightings = told(...names);
    const newer = { ...rolloutIn({ name: 'rolling' }), release: { ...RELEASE, rollout: 9 } };
    const taken = { releasesTaken: { sequence: 9, storedAtMs: 1 } };
    sightings.see({ kind: 'record', record: record({ rollout: newer, ...taken }) });
    const found = summarize(sightings, 7);
    expect([found.phase, found.ended, exitCodeOf(found)]).toEqual([phase, true, code]);
  });

  it('one that settled and was halted later is halted', () => {
    const sightings = told('rollout-settled');
    const newer = { ...rolloutIn({ name: 'rolling' }), release: { ...RELEASE, rollout: 9 } };
    const halted = [{ rollout: 7, digest: digestOf(7), version: 'v7', reason: 'by an operator' }];
    sightings.see({ kind: 'record', record: record({ rollout: newer, halted }) });
    expect(summarize(sightings, 7)).toMatchObject({ phase: 'rested', reason: 'by an operator' });
  });
});

describe('rows', () => {
  it('are cut where a terminal would wrap them', () => {
    const long = [...row('abc', 'good'), ...row('defg', 'bad')];
    expect(paint(clipped(long, 5), false)).toBe('abcde');
    expect(paint(clipped(long, 3), true)).toBe('\u001B[32mabc\u001B[0m');
  });

  it('steer no terminal, whatever they quote', () => {
    expect(paint(row('a\u001b[2J\nb'), false)).toBe('a\\u001b[2J\\u000ab');
  });
});
