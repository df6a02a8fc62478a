import type { EventName } from '@swell/shared/domain/event.ts';
import { describe, expect, it, test } from 'vitest';
import { drawHistory, historyOf } from './history.ts';
import { paint } from './rows.ts';
import type { ToldEvent } from './sightings.ts';

function told(rollout: number, ...names: readonly EventName[]): readonly ToldEvent[] {
  return names.map((name, index) => ({
    atMs: 1_000 * (index + 1),
    event: { id: `${rollout}.${index}`, name, service: 'web', rollout, line: `${name} of ${rollout}` },
  }));
}

const published = (rollout: number) => ({
  rollout,
  atMs: 0,
  image: 'registry.example/web:v1',
  version: 'v1',
});

function outcome(...names: readonly EventName[]): unknown {
  return historyOf([published(7)], told(7, ...names), [], 7)[0];
}

describe('what became of a release', () => {
  test.each<[readonly EventName[], string]>([
    [[], 'unknown'],
    [['release-delayed'], 'waiting'],
    [['release-delayed', 'release-accepted', 'rollout-started', 'stage-opened'], 'under way'],
    [['release-rejected'], 'rejected'],
    [['rollout-started', 'rollout-settled'], 'settled'],
    [['rollout-started', 'rollout-settled', 'rollout-halted', 'rollout-rested'], 'halted'],
    // It was going back when something newer came.
    [['rollout-started', 'rollout-halted', 'rollout-superseded'], 'halted'],
    [['rollout-started', 'rollout-superseded'], 'superseded'],
    [['rollout-started', 'rollout-aborted'], 'aborted'],
  ])('%j: %s', (names, expected) => {
    expect(outcome(...names)).toMatchObject({ outcome: expected });
  });

  it('one that no coordinator has taken waits', () => {
    expect(historyOf([published(7)], [], [], 6)[0]?.outcome).toBe('waiting');
    expect(historyOf([published(7)], [], [], 7)[0]?.outcome).toBe('unknown');
  });

  it('counts nodes that failed and slots that were lost, and says when it was heard of last', () => {
    const names: EventName[] = [
      'rollout-started',
      'node-failed',
      'slot-lost',
      'slot-cleared',
      'rollout-halted',
    ];
    expect(outcome(...names)).toEqual({
      rollout: 7,
      publishedAt: '1970-01-01T00:00:00.000Z',
      image: 'registry.example/web:v1',
      version: 'v1',
      outcome: 'halted',
      toldAt: '1970-01-01T00:00:05.000Z',
      reason: 'rollout-halted of 7',
      failures: 2,
    });
  });

  it('counts a node once that was not well, could not go back, and gave way to something newer', () => {
    expect(outcome('rollout-started', 'node-unhealthy', 'rollout-superseded', 'node-failed')).toMatchObject({
      failures: 1,
    });
  });

  it('the newest stands first, each with its own events', () => {
    const events = [...told(7, 'rollout-settled'), ...told(9, 'release-rejected')];
    expect(
      historyOf([published(7), published(9)], events, [], 9).map((one) => [one.rollout, one.outcome]),
    ).toEqual([
      [9, 'rejected'],
      [7, 'settled'],
    ]);
  });

  it('what the log has forgotten is told by the record, and nothing else is', () => {
    const digest = `sha256:${'ab'.repeat(32)}` as const;
    const begun = { version: 'v1', digest, begunAtMs: 500 };
    const ended = { as: 'halted', atMs: 9_000, reason: 'too many failed', attempted: 4, failed: 3 } as const;
    const recorded = [
      { ...begun, rollout: 9 },
      { ...begun, rollout: 8, ended },
      { ...begun, rollout: 7, ended },
    ];
    const events = told(7, 'rollout-started', 'rollout-settled', 'node-failed');
    const all = [6, 7, 8, 9].map(published);
    const { image, version } = published(8);
    const publishedAt = '1970-01-01T00:00:00.000Z';
    expect(historyOf(all, events, recorded, 9)).toEqual([
      { rollout: 9, publishedAt, image, version, outcome: 'under way', failures: 0 },
      {
        rollout: 8,
        publishedAt,
        image,
        version,
        outcome: 'halted',
        toldAt: '1970-01-01T00:00:09.000Z',
        reason: 'too many failed',
        failures: 3,
      },
      expect.objectContaining({ rollout: 7, outcome: 'settled', failures: 1 }),
      expect.objectContaining({ rollout: 6, outcome: 'unknown' }),
    ]);
  });

  it('is drawn in columns', () => {
    const rows = drawHistory(historyOf([published(7)], told(7, 'rollout-settled'), [], 7));
    expect(rows.map((one) => paint(one, false))).toEqual([
      'ROLLOUT  PUBLISHED             VERSION  OUTCOME  FAILURES  IMAGE                    REASON',
      '7        1970-01-01T00:00:00Z  v1       settled  0         registry.example/web:v1',
    ]);
  });
});
