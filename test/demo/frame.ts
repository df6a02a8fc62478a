/** A picture of a view: rows of spans, without a terminal. The same view at the same time is the same picture. */

import { drawLine } from './line-of-ranks.ts';
import { type NodeState, type NodeView, placeOf, type RegionView, stateOf, type View } from './view.ts';

export type Tone = 'plain' | 'strong' | 'quiet' | 'good' | 'bad' | 'busy';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}
export type Row = readonly Span[];

export interface FrameOptions {
  readonly columns: number;
  /** When the act began, and now: ms of the clock that stamps the log. */
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly storyRows: number;
}

const TRACK_MAX = 48;
const TRACK_MIN = 12;
/** From here on there is room for the slots and the versions beside the line. */
const WIDE = 64;
const SPIN_MS = 125;

const TONES: Readonly<Record<NodeState, Tone>> = {
  waiting: 'plain',
  staged: 'plain',
  swapping: 'busy',
  probing: 'busy',
  healthy: 'good',
  failed: 'bad',
  returning: 'busy',
  returned: 'good',
};

/** Between leaving the rotation and coming back. */
const MIDDLE: readonly NodeState[] = ['swapping', 'probing', 'returning'];

const GLYPHS: Readonly<Record<NodeState, readonly string[]>> = {
  waiting: ['○'],
  staged: ['◎'],
  swapping: ['◐', '◓', '◑', '◒'],
  probing: ['◉', '◉', '◌', '◌'],
  healthy: ['●'],
  failed: ['✗'],
  returning: ['◒', '◑', '◓', '◐'],
  returned: ['↩'],
};

export function drawFrame(view: View, options: FrameOptions): readonly Row[] {
  const { columns, storyRows, sinceMs } = options;
  const told = view.story
    .slice(-storyRows)
    .map(({ atMs, text, tone }): Row => [quiet(`${seconds(atMs - sinceMs)}  `), { text, tone }]);
  const missing = Array.from({ length: storyRows - told.length }, (): Row => []);
  return [
    headline(view, options),
    [],
    ...view.regions.map((region) => drawRegion(view, region, options)),
    [],
    ...legend(columns),
    [],
    ...told,
    ...missing,
  ].map((row) => clipped(row, columns));
}

/** Which rollout, which stage, how it stands, and for how long. */
function headline(view: View, { columns, sinceMs, nowMs }: FrameOptions): Row {
  const { rollout } = view;
  const stage = view.regions.find(({ wave }) => wave !== undefined)?.wave?.stage;
  const what: Row = [
    { text: rollout === undefined ? '…' : `${rollout.version}, rollout ${rollout.number}`, tone: 'strong' },
    ...(stage === undefined
      ? []
      : [
          quiet(
            columns < WIDE
              ? `  stage ${stage.number}/${stage.of}, ${stage.percent} %  `
              : `  stage ${stage.number} of ${stage.of}, up to ${stage.percent} %  `,
          ),
        ]),
    { text: stage === undefined ? `  ${view.standing}` : view.standing, tone: 'plain' },
  ];
  const clock = seconds(nowMs - sinceMs).trim();
  return [...what, plain(' '.repeat(Math.max(2, columns - lengthOf(what) - clock.length))), quiet(clock)];
}

function drawRegion(view: View, region: RegionView, { columns, nowMs }: FrameOptions): Row {
  const nodes = view.nodes.filter((node) => node.region === region.name);
  const name = region.name.padEnd(Math.max(...view.regions.map((one) => one.name.length)) + 2);
  const beside = columns < WIDE ? [] : [plain('  '), ...slots(region), plain('  '), ...running(view, nodes)];
  const room = columns - name.length - lengthOf(beside);
  const width = Math.max(TRACK_MIN, Math.min(TRACK_MAX, room));
  const placed = nodes.map((node, index) => ({
    node,
    // Nobody has drawn the line yet: side by side.
    rank: placeOf(view, node) ?? (index + 0.5) / nodes.length,
  }));
  const order = { cursor: region.wave?.cursor ?? 0, stageBelow: region.wave?.stageBelow ?? 0 };
  const line = drawLine(placed, order, width).map((cell): Span => {
    switch (cell.kind) {
      case 'node':
        return glyph(stateOf(cell.node), nowMs);
      case 'cursor':
        return { text: '▶', tone: 'strong' };
      case 'track':
        return cell.is === 'admitted' ? plain('━') : quiet(cell.is === 'staging' ? '─' : '┄');
    }
  });
  return [{ text: name, tone: 'strong' }, ...line, ...beside];
}

/** A filled square for each slot that is held. */
function slots({ wave, holders }: RegionView): Row {
  const count = Math.min(8, wave?.slots ?? 1);
  return Array.from(
    { length: count },
    (_, slot): Span => (holders[slot] === undefined ? quiet('□') : { text: '■', tone: 'busy' }),
  );
}

/** How many are there with what: `1×v1 1×v2`. Who is in the middle of something is with nothing. */
function running(view: View, nodes: readonly NodeView[]): Row {
  const known = nodes
    .filter((node) => !MIDDLE.includes(stateOf(node)))
    .map((node) => (node.running && view.versions[node.running]) ?? '?');
  const versions = [...new Set(known)].sort();
  const text = versions.map((version) => `${known.filter((one) => one === version).length}×${version}`);
  return [plain(text.join(' ').padEnd(9))];
}

/** Every glyph with its word, on as many rows as it takes. */
function legend(columns: number): readonly Row[] {
  const states: readonly NodeState[] = [
    'waiting',
    'staged',
    'swapping',
    'probing',
    'healthy',
    'failed',
    'returned',
  ];
  const rows: Span[][] = [[]];
  const signs: readonly (readonly [Span, string])[] = [
    ...states.map((state) => [glyph(state, 0), state] as const),
    [plain('━▶'), 'may go'],
    [{ text: '■', tone: 'busy' }, 'slot held'],
  ];
  for (const [sign, word] of signs) {
    const entry: Row = [sign, quiet(` ${word}  `)];
    const row = rows.at(-1) ?? [];
    if (row.length > 0 && lengthOf(row) + lengthOf(entry) - 2 > columns) rows.push([...entry]);
    else row.push(...entry);
  }
  return rows;
}

function glyph(state: NodeState, nowMs: number): Span {
  const glyphs = GLYPHS[state];
  return { text: glyphs[Math.floor(nowMs / SPIN_MS) % glyphs.length] ?? '?', tone: TONES[state] };
}

/** `  3.1 s` */
export function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`.padStart(7);
}

/** No row is wider than the terminal: it would wrap, and what is drawn over it would not meet it. */
function clipped(row: Row, columns: number): Row {
  let room = columns;
  if (lengthOf(row) <= columns) return row;
  return row.flatMap((span): Row => {
    const take = Math.min(span.text.length, room);
    const isLast = take === room && room > 0;
    room -= take;
    return take === 0 ? [] : [{ ...span, text: isLast ? `${span.text.slice(0, take - 1)}…` : span.text }];
  });
}

export function lengthOf(row: Row): number {
  return row.reduce((sum, { text }) => sum + text.length, 0);
}

function plain(text: string): Span {
  return { text, tone: 'plain' };
}

function quiet(text: string): Span {
  return { text, tone: 'quiet' };
}
