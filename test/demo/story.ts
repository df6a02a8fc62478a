/** The fleet's log in words, one line for each thing that somebody who watches wants to know. */

import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import { shortDigest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import { rankOf } from '@swell/shared/domain/rank.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import type { Telling, View } from './view.ts';

/** Worth a line although their rollout is over. */
const LATE: readonly EventName[] = ['slot-lost', 'slot-cleared'];

/** What an entry is to whoever watches; `undefined`: nothing new. `view` is what was known before it. */
export function tellEntry(view: View, entry: LogEntry): Telling | undefined {
  switch (entry.kind) {
    case 'wave':
      return entry.wave.release.rollout <= view.past ? undefined : tellWave(view, entry.wave);
    case 'report':
      return entry.report.rollout <= view.past ? undefined : tellReport(view, entry.report);
    case 'event': {
      const { rollout = Number.POSITIVE_INFINITY, name } = entry.event;
      return rollout > view.past || LATE.includes(name) ? tellEvent(entry.event) : undefined;
    }
    case 'slot':
    case 'halt':
    case 'release':
      return undefined;
  }
}

/** Where the rollout stands after an event; `undefined`: where it stood. */
export function standingAfter({ name }: FleetEvent): string | undefined {
  return STANDINGS[name];
}

const STANDINGS: Readonly<Partial<Record<EventName, string>>> = {
  'release-accepted': 'accepted',
  'stage-staging': 'downloading',
  'stage-opened': 'rolling',
  'stage-finished': 'being watched',
  'approval-awaited': 'waits for approval',
  'stage-approved': 'approved',
  'rollout-paused': 'paused',
  'rollout-resumed': 'rolling',
  'rollout-halted': 'halted, going back',
  'rollout-rested': 'halted, everybody is back',
  'rollout-aborted': 'aborted',
  'rollout-settled': 'settled',
};

/** Cursors that move, by whom they let go. */
function tellWave(view: View, wave: Wave): Telling | undefined {
  if (wave.phase !== 'open') return undefined;
  const before = view.regions.find(({ name }) => name === wave.region)?.wave;
  const from = before?.release.rollout === wave.release.rollout ? before.cursor : 0;
  const admitted = view.nodes
    .filter(({ region }) => region === wave.region)
    .filter(({ name }) => {
      const rank = rankOf(wave.seed, name);
      return rank >= from && rank < wave.cursor;
    })
    .map(({ name }) => name);
  if (admitted.length === 0) return undefined;
  return plain(`${wave.region}: the cursor moves to ${percent(wave.cursor)}, ${admitted.join(', ')} may go`);
}

function tellReport(view: View, report: NodeReport): Telling | undefined {
  const { node, status, warrant, running, reason = '' } = report;
  const version = view.rollout?.version ?? 'the release';
  const on = running === undefined ? 'what ran before' : (view.versions[running] ?? shortDigest(running));
  switch (status) {
    case 'staged':
      return plain(`${node} has ${version} at hand`);
    case 'updating':
      return plain(`${node} holds slot ${warrant?.slot ?? '?'}, leaves the rotation and swaps`);
    case 'healthy':
      return { text: `${node} is healthy on ${version}`, tone: 'good' };
    case 'failed':
      return { text: `${node} failed, is back on ${on}: ${reason}`, tone: 'bad' };
    case 'returning':
      return plain(`${node} goes back`);
    case 'returned':
      return { text: `${node} is back on ${on}`, tone: 'good' };
    case 'interrupted':
      return plain(`${node} is interrupted: ${reason}`);
    case 'stage-failed':
    case 'stuck':
    case 'unhealthy':
    case 'refused':
    case 'kept':
      return { text: `${node}: ${status}, ${reason}`, tone: 'bad' };
  }
}

/** Events are told in the coordinator's own words, but for those that a report has just told. */
function tellEvent({ name, line }: FleetEvent): Telling | undefined {
  switch (name) {
    case 'node-failed':
    case 'rollout-started':
    case 'policy-accepted':
      return undefined;
    case 'rollout-settled':
    case 'rollout-rested':
      return { text: line, tone: 'good' };
    case 'release-rejected':
    case 'control-rejected':
    case 'policy-rejected':
    case 'message-rejected':
    case 'rollout-halted':
    case 'rollout-paused':
    case 'slot-lost':
      return { text: line, tone: 'bad' };
    default:
      return plain(line);
  }
}

function plain(text: string): Telling {
  return { text, tone: 'plain' };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
