/** What the log tells of a broken rule: the lines around it that speak of the same nodes or the same region. */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { ChaosViolation } from './judge.ts';
import type { Seen } from './watch.ts';

const AROUND_MS = 20_000;
const LINES_MAX = 40;

export function evidenceOf(
  seen: readonly Seen[],
  { rule, message, atMs }: ChaosViolation,
): readonly string[] {
  const names = new Set(message.match(/\bn\d+\b/g) ?? []);
  const isNear = (entry: LogEntry): boolean => atMs === undefined || Math.abs(entry.atMs - atMs) <= AROUND_MS;
  const speaks = (entry: LogEntry): boolean =>
    names.size === 0 || namesIn(entry).some((name) => names.has(name));
  const lines = seen
    .map(({ entry }) => entry)
    .filter((entry) => isNear(entry) && speaks(entry))
    .toSorted((a, b) => a.atMs - b.atMs)
    .slice(-LINES_MAX)
    .map((entry) => `    ${new Date(entry.atMs).toISOString().slice(11, 23)} ${describe(entry)}`);
  const when = atMs === undefined ? '' : ` at ${new Date(atMs).toISOString().slice(11, 23)}`;
  return [`${rule}${when}: ${message}`, ...lines];
}

function namesIn(entry: LogEntry): readonly string[] {
  switch (entry.kind) {
    case 'report':
      return [entry.report.node];
    case 'slot':
      return entry.holder === undefined ? [] : [entry.holder.node];
    case 'event':
      return entry.event.node === undefined ? [] : [entry.event.node];
    case 'wave':
    case 'halt':
    case 'release':
      return [];
  }
}

function describe(entry: LogEntry): string {
  switch (entry.kind) {
    case 'event':
      return entry.event.line;
    case 'report': {
      const { node, region, status, attempt, warrant, reason } = entry.report;
      const by =
        warrant === undefined
          ? ''
          : ` by wave ${warrant.waveRevision}, slot ${warrant.slot} at ${warrant.fence}`;
      return `${node} (${region}) says ${status} of ${attempt ?? entry.report.rollout}${by}${reason === undefined ? '' : `: ${reason}`}`;
    }
    case 'wave': {
      const { region, phase, cursor, slots, release } = entry.wave;
      return `wave ${entry.revision} in ${region}: rollout ${release.rollout} ${phase}, cursor ${cursor}, ${slots} slots`;
    }
    case 'slot':
      return `slot ${entry.slot} in ${entry.region} at ${entry.revision}: ${entry.holder === undefined ? 'free' : `${entry.holder.node} for ${entry.holder.attempt}`}`;
    case 'halt':
      return `halt ${entry.revision}: ${entry.halt === undefined ? 'lifted' : `rollout ${entry.halt.rollout}`}`;
    case 'release':
      return `release ${entry.rollout}`;
  }
}
