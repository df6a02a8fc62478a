/** The coverage of phases by events, for people. */

import { CORES, type Core, cellOf } from '../coverage.ts';

const EVENT_WIDTH = 20;
const CELL_WIDTH = 6;

/** A line for each event, a column for each phase: how often they met. */
export function tableOf(core: Core, counts: ReadonlyMap<string, number>): readonly string[] {
  const { phases, events } = CORES[core];
  const head = core.padEnd(EVENT_WIDTH) + phases.map((phase) => short(phase).padStart(CELL_WIDTH)).join('');
  const rows = events.map(
    (event) =>
      event.padEnd(EVENT_WIDTH) +
      phases.map((phase) => times(counts.get(cellOf(core, phase, event))).padStart(CELL_WIDTH)).join(''),
  );
  return [head, ...rows];
}

/** What the types allow and no world has met, by phase. */
export function unreached(core: Core, counts: ReadonlyMap<string, number>): readonly string[] {
  const { phases, events } = CORES[core];
  const missing = phases.flatMap((phase) => {
    const never = events.filter((event) => !counts.has(cellOf(core, phase, event)));
    return never.length === 0 ? [] : [{ phase, never }];
  });
  const cells = missing.reduce((sum, { never }) => sum + never.length, 0);
  return [
    `${core}: ${cells} of ${phases.length * events.length} transitions never reached`,
    ...missing.map(({ phase, never }) => `  ${phase}: ${never.join(', ')}`),
  ];
}

function short(phase: string): string {
  return phase.length < CELL_WIDTH ? phase : phase.slice(0, CELL_WIDTH - 1);
}

function times(count: number | undefined): string {
  if (count === undefined) return '·';
  if (count < 1_000) return String(count);
  if (count < 999_500) return `${Math.round(count / 1_000)}k`;
  return `${Math.round(count / 1_000_000)}M`;
}
