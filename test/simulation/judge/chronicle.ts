/** What happened, as one line each: the trace of a violation is what concerns the same node, region and rollout. */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { describeHalt, describeWave } from '@swell/shared/protocol/orders.ts';
import { describeReport } from '@swell/shared/protocol/reports.ts';
import { describeClaim } from '@swell/shared/protocol/slots.ts';
import type { Concern, TrueViolation } from './bench.ts';

/** Something that no stream shows. */
export interface Happening {
  readonly atMs: number;
  readonly what: string;
  readonly concern: Concern;
}

const LINES_MAX = 60;
/** Some rules wait for what comes after. */
const LINES_AFTER_MAX = 20;

/** Whom an entry is about. */
export function concernOf(entry: LogEntry): Concern {
  switch (entry.kind) {
    case 'release':
      return { rollout: entry.rollout };
    case 'wave':
      return { region: entry.wave.region, rollout: entry.wave.release.rollout };
    case 'halt':
      return { rollout: entry.halt?.rollout };
    case 'slot':
      return { region: entry.region, node: entry.holder?.node, rollout: entry.holder?.rollout };
    case 'report': {
      const { region, node, rollout } = entry.report;
      return { region, node, rollout };
    }
    default: {
      const { region, node, rollout } = entry.event;
      return { region, node, rollout };
    }
  }
}

/** Whose it is. */
export function serviceOf(entry: LogEntry): ServiceName {
  switch (entry.kind) {
    case 'wave':
      return entry.wave.service;
    case 'report':
      return entry.report.service;
    case 'event':
      return entry.event.service;
    default:
      return entry.service;
  }
}

/** A violation among what came before and after it: what concerns whom it concerns, in the order of time. */
export function traceOf(
  violation: TrueViolation,
  entries: readonly LogEntry[],
  happenings: readonly Happening[],
  startMs: number,
): readonly string[] {
  const { concern } = violation;
  const told = [
    ...entries.map((entry) => ({ atMs: entry.atMs, concern: concernOf(entry), what: () => describe(entry) })),
    ...happenings.map(({ atMs, concern: whom, what }) => ({
      atMs,
      concern: whom,
      what: () => (whom.node === undefined ? what : `${whom.node}: ${what}`),
    })),
  ];
  const related = told
    .filter(({ concern: whom }) => isRelated(whom, concern))
    .sort((a, b) => a.atMs - b.atMs);
  const line = ({ atMs, what }: (typeof told)[number]): string => `${clock(atMs - startMs)}  ${what()}`;
  const here = `${clock(violation.atMs - startMs)}  ${violation.rule}: ${violation.message}`;
  const before = related.filter(({ atMs }) => atMs <= violation.atMs).slice(-LINES_MAX);
  const after = related.filter(({ atMs }) => atMs > violation.atMs).slice(0, LINES_AFTER_MAX);
  return [...before.map(line), here, ...after.map(line)];
}

/** Of one and the same node, where both are about one; else of the same rollout and region, as far as they name any. */
function isRelated(of: Concern, to: Concern): boolean {
  if (to.node !== undefined && of.node !== undefined)
    return of.node === to.node || to.others?.includes(of.node) === true;
  const isElsewhere = to.region !== undefined && of.region !== undefined && of.region !== to.region;
  const isAnother = to.rollout !== undefined && of.rollout !== undefined && of.rollout !== to.rollout;
  return !isElsewhere && !isAnother;
}

function describe(entry: LogEntry): string {
  switch (entry.kind) {
    case 'release':
      return `release ${entry.rollout}`;
    case 'wave':
      return `wave ${entry.revision}: ${describeWave(entry.wave)}`;
    case 'halt':
      return `halt ${entry.revision}: ${entry.halt === undefined ? 'lifted' : describeHalt(entry.halt)}`;
    case 'slot':
      return `slot ${entry.slot} of ${entry.region}, revision ${entry.revision}: ${
        entry.holder === undefined
          ? 'free'
          : `${describeClaim(entry.slot, entry.holder)}, ${entry.holder.attempt}`
      }`;
    case 'report':
      return `${describeReport(entry.report)} [${entry.report.id}]`;
    default:
      return `${entry.event.name}: ${entry.event.line}`;
  }
}

/** Virtual time since the world began: `1:02:03.456`. */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const two = (count: number): string => String(count).padStart(2, '0');
  const [hours, minutes, seconds] = [whole / 3_600_000, (whole / 60_000) % 60, (whole / 1_000) % 60].map(
    Math.floor,
  );
  return `${hours}:${two(minutes ?? 0)}:${two(seconds ?? 0)}.${String(whole % 1_000).padStart(3, '0')}`;
}
