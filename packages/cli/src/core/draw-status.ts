/** A picture of a rollout: the same status is the same picture. */

import type { NodeStanding } from '@swell/shared/domain/standing.ts';
import { type Row, row, type Span, span, type Tone } from './rows.ts';
import type { RegionStatus, RolloutStatus } from './status.ts';

const TRACK = 24;
const SLOTS_MAX = 8;
const TROUBLES_MAX = 8;

const PHASE_TONES: Readonly<Partial<Record<RolloutStatus['phase'], Tone>>> = {
  settled: 'good',
  halting: 'bad',
  rested: 'bad',
  aborted: 'bad',
  rejected: 'bad',
  superseded: 'bad',
};

export function drawStatus(status: RolloutStatus): readonly Row[] {
  return [
    headline(status),
    ...(status.reason === undefined ? [] : [row(`  ${status.reason}`)]),
    ...advice(status).map((text) => row(`  ${text}`, 'quiet')),
    ...drawProposal(status),
    ...drawRegions(status.regions),
    ...drawTroubles(status),
  ];
}

function headline({ service, scope, rollout, version, phase, paused, stage }: RolloutStatus): Row {
  const which = rollout === undefined ? '' : `  rollout ${rollout}`;
  const called = version === undefined ? '' : ` (${version})`;
  return [
    span(service, 'strong'),
    span(`${scope === undefined ? '' : `  scope ${scope}`}${which}${called}  `),
    span(paused ? `${phase}, paused` : phase, paused ? 'busy' : (PHASE_TONES[phase] ?? 'plain')),
    span(stage === undefined ? '' : `, ${describeStage(stage)}`),
  ];
}

function describeStage({ number, of, percent }: NonNullable<RolloutStatus['stage']>): string {
  return number === 0 ? 'its canaries' : `stage ${number} of ${of} (${percent} %)`;
}

/** What a person may do, where it waits for one. */
function advice({ service, phase, paused, ended }: RolloutStatus): readonly string[] {
  if (phase === 'none') return [`nothing was released yet: swell release ${service} <image>`];
  if (phase === 'published') return ['no coordinator has taken it yet: swell doctor tells whether one leads'];
  if (phase === 'gated' && !paused)
    return [`waits for approval: swell approve ${service}, or swell halt ${service}`];
  return paused && !ended ? [`swell resume ${service}, or swell halt ${service}`] : [];
}

function drawProposal({ service, proposal }: RolloutStatus): readonly Row[] {
  if (proposal === undefined) return [];
  const { image, digest } = proposal;
  return [
    row(`  proposed: ${image} is ${digest}`),
    row(`  swell approve ${service} --digest …, or swell reject ${service} --digest …`, 'quiet'),
  ];
}

function drawRegions(regions: readonly RegionStatus[]): readonly Row[] {
  const width = Math.max(0, ...regions.map(({ region }) => region.length));
  return regions.map((region) => [
    span(`  ${region.region.padEnd(width)}  `, 'strong'),
    ...track(region),
    span('  '),
    ...slots(region),
    span(`  ${counts(region)}`),
  ]);
}

/** In this order they fill the track, from its left end. */
const FILLS: readonly (readonly [NodeStanding, string, Tone])[] = [
  ['updated', '█', 'good'],
  ['failed', '✗', 'bad'],
  ['back', '↩', 'good'],
  ['underway', '▒', 'busy'],
];

/** The region's nodes as one bar. Whoever is one of many still has a place in it. */
function track({ nodes, standing }: RegionStatus): Row {
  let room = TRACK;
  const filled = FILLS.flatMap(([which, sign, tone]): readonly Span[] => {
    const share = nodes === 0 ? 0 : (standing[which] * TRACK) / nodes;
    const cells = Math.min(room, standing[which] === 0 ? 0 : Math.max(1, Math.floor(share)));
    room -= cells;
    return cells === 0 ? [] : [{ text: sign.repeat(cells), tone }];
  });
  return room === 0 ? filled : [...filled, { text: '·'.repeat(room), tone: 'quiet' }];
}

function slots({ slots: { of, held } }: RegionStatus): Row {
  const taken = Object.keys(held).length;
  if (of > SLOTS_MAX) return [span(`${taken}/${of} slots`, taken > 0 ? 'busy' : 'quiet')];
  const free = Math.max(0, of - taken);
  return [span('■'.repeat(taken), 'busy'), span('□'.repeat(free), 'quiet')];
}

/** Where the word for a standing says too little, or something else to whoever has never read the code. */
const WORDS: Readonly<Partial<Record<NodeStanding, string>>> = {
  held: 'without the image',
  refused: 'not following',
};

function counts({ nodes, standing }: RegionStatus): string {
  const others = (['underway', 'staged', 'held', 'refused', 'failed', 'back'] as const)
    .filter((which) => standing[which] > 0)
    .map((which) => `${standing[which]} ${WORDS[which] ?? which}`);
  return [`${standing.updated} of ${nodes} updated`, ...others].join(', ');
}

function drawTroubles({ troubles }: RolloutStatus): readonly Row[] {
  const shown = troubles
    .slice(0, TROUBLES_MAX)
    .map(
      ({ region, node, standing, reason }): Row => [
        span(`  ${standing === 'failed' ? '✗' : '‖'} `, standing === 'failed' ? 'bad' : 'busy'),
        span(`${region}.${node} ${WORDS[standing] ?? standing}: ${reason}`),
      ],
    );
  const more = troubles.length - shown.length;
  return more === 0 ? shown : [...shown, row(`  and ${more} more`, 'quiet')];
}
