import { expect, test } from 'vitest';
import { digestOf } from '../../../../test/support/rollout-story.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import { mergeEvents } from './merge.ts';

const seen = (node: string): Extract<CoordinatorEvent, { kind: 'nodes-seen' }> => ({
  kind: 'nodes-seen',
  nodes: [
    { region: 'eu', node, seenAtMs: 1, presence: { running: digestOf('v0'), phase: 'idle', ready: true } },
  ],
});

const said = (node: string): Extract<CoordinatorEvent, { kind: 'reports-read' }> => ({
  kind: 'reports-read',
  reports: [
    {
      report: { id: '1', region: 'eu', node, service: 'web', rollout: 7, status: 'staged' },
      sequence: 1,
      heardAtMs: 1,
    },
  ],
});

const TIME = { kind: 'time-passed' } as const;
const STORED = { kind: 'event-stored', id: 'one' } as const;

test('nodes that spoke together are heard together, what each showed and what each reported', () => {
  expect(mergeEvents([seen('n1'), said('n1'), seen('n2'), said('n2'), seen('n1')])).toEqual([
    { kind: 'nodes-seen', nodes: [...seen('n1').nodes, ...seen('n2').nodes, ...seen('n1').nodes] },
    { kind: 'reports-read', reports: [...said('n1').reports, ...said('n2').reports] },
  ]);
});

test('what else happened keeps its place among them', () => {
  expect(mergeEvents([seen('n1'), STORED, seen('n2'), { kind: 'bus-read' }])).toEqual([
    seen('n1'),
    STORED,
    seen('n2'),
    { kind: 'bus-read' },
  ]);
});

test('that time has passed is told once, and not where anything else was', () => {
  expect(mergeEvents([TIME, TIME])).toEqual([TIME]);
  expect(mergeEvents([TIME, STORED, TIME])).toEqual([STORED]);
  expect(mergeEvents([seen('n1'), TIME, seen('n2')])).toEqual([
    { kind: 'nodes-seen', nodes: [...seen('n1').nodes, ...seen('n2').nodes] },
  ]);
  expect(mergeEvents([])).toEqual([]);
});

test('a hundred thousand words are one event, at once', () => {
  const events = Array.from({ length: 100_000 }, (_, index) => (index % 2 === 0 ? seen('n1') : said('n1')));
  const began = process.threadCpuUsage();
  const merged = mergeEvents(events);
  const { user } = process.threadCpuUsage(began);
  expect(merged.map(({ kind }) => kind)).toEqual(['nodes-seen', 'reports-read']);
  expect(user / 1_000).toBeLessThan(500);
});
