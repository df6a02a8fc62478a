import { describe, expect, it } from 'vitest';
import { after, BETWEEN, FIRST, fleetOnSeven, presence, SEED } from './demo-story.ts';
import { seePresence } from './fold.ts';
import { drawFrame, type FrameOptions, lengthOf, type Row } from './frame.ts';
import { paint } from './paint.ts';
import type { View } from './view.ts';

const OPTIONS: FrameOptions = { columns: 80, sinceMs: 1_000_000, nowMs: 1_012_340, storyRows: 3 };

function texts(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => paint(row, false));
}

/** One node is being swapped, the other one waits behind the cursor. */
function halfWay(): View {
  const view = after(fleetOnSeven(), (story) => {
    story.order(8, {
      seed: SEED,
      slots: 1,
      cursor: BETWEEN,
      stageBelow: BETWEEN,
      stage: { number: 1, of: 2, percent: 50 },
    });
    story.tell('stage-opened', { rollout: 8, line: 'stage 1 of 2 opens' });
    story.start(story.claim(FIRST, 0));
  });
  return seePresence(view, presence(FIRST, 'swapping'));
}

describe('the picture of a fleet', () => {
  it('shows the rollout, the line with its cursor, the slots, and what was told last', () => {
    const rows = texts(drawFrame(halfWay(), OPTIONS));
    expect(rows[0]).toMatch(/^v8, rollout 8 {2}stage 1 of 2, up to 50 % {2}rolling +12\.3 s$/);
    expect(rows[2]).toMatch(/^eu {2}━+[◐◓◑◒]━*▶┄*○┄+ {2}■ {2}1×v7$/);
    expect(rows.slice(-3)).toEqual([
      `  0.0 s  eu: the cursor moves to ${Math.round(BETWEEN * 100)} %, ${FIRST} may go`,
      '  1.0 s  stage 1 of 2 opens',
      `  3.0 s  ${FIRST} holds slot 0, leaves the rotation and swaps`,
    ]);
  });

  it('is as high before anything was told as after', () => {
    expect(drawFrame(fleetOnSeven(), OPTIONS)).toHaveLength(drawFrame(halfWay(), OPTIONS).length);
  });

  it.each([20, 40, 63, 64, 79, 80, 200])('fits into %i columns', (columns) => {
    for (const row of drawFrame(halfWay(), { ...OPTIONS, columns })) {
      expect(lengthOf(row)).toBeLessThanOrEqual(columns);
    }
  });

  it('leaves out the slots and versions where it is narrow', () => {
    const row = texts(drawFrame(halfWay(), { ...OPTIONS, columns: 40 }))[2];
    expect(row).toMatch(/^eu {2}[━▶┄○◐◓◑◒]{36}$/);
  });

  it('turns what is under way, and nothing else', () => {
    const later = drawFrame(halfWay(), { ...OPTIONS, nowMs: OPTIONS.nowMs + 125 });
    const changed = drawFrame(halfWay(), OPTIONS).flatMap((row, at) =>
      paint(row, false) === paint(later[at] ?? [], false) ? [] : [at],
    );
    expect(changed).toEqual([0, 2]);
  });

  it('has colours, or none at all', () => {
    const row = drawFrame(halfWay(), OPTIONS)[0] ?? [];
    expect(paint(row, true)).toContain('\u001B[1mv8, rollout 8\u001B[0m');
    expect(paint(row, false)).not.toContain('\u001B');
  });
});
