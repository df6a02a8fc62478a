/** What goes wrong in a simulated world, and how often. */

import type { Chance } from './chance.ts';

/**
 * How often each kind of fault strikes an hour: those of machines and of agents for each machine, all others in the whole
 * world. So many that most seeds meet most of them; a world's own rates are drawn from these.
 */
const STORMY_PER_HOUR = {
  // Agents.
  'agent crash': 0.5,
  'agent dies at an effect': 0.7,
  'agent paused': 0.3,
  'agent stops at an effect': 0.3,
  'journal lost': 0.02,
  'journal set back': 0.02,
  // Coordinators.
  'coordinator crash': 6,
  'coordinator dies at an effect': 6,
  'coordinator stops at an effect': 3,
  'two leaders': 4,
  'lease wiped by hand': 0.5,
  // Machines.
  'node off for minutes': 0.3,
  'node off for hours': 0.03,
  'node off for good': 0.02,
  'node joins': 0.1,
  'slow node': 0.3,
  'full disk': 0.1,
  'clock jump': 0.1,
  'dockerd restart': 0.3,
  'dockerd restart with its containers': 0.2,
  'word in the policy file': 0.2,
  'application asks for later': 0.1,
  'application vetoes': 0.05,
  'container stopped by hand': 0.05,
  'container removed by hand': 0.05,
  'container replaced by hand': 0.05,
  // The network.
  'connection cut': 0.5,
  'partition both ways': 0.2,
  'partition one way': 0.2,
  'words late': 2,
  'messages lost': 2,
  'messages twice': 2,
  'publishes lost': 2,
  'stale reads': 2,
  // The bus.
  'bus restart': 1,
  'bus frozen': 0.7,
  'bus leader lost': 2,
  'bus clock jump': 0.5,
  'bus loses its tail': 0.5,
  'bus rewinds': 0.3,
  'bus rewinds one stream': 0.3,
  'stream made anew': 0.3,
  // Images and where they come from.
  'registry down': 0.5,
  'registry limits the rate': 0.5,
  'registry answers slowly': 0.5,
  'slow pull': 0.2,
  'failed pull': 0.2,
  'tampered pull': 0.2,
  'image ails on some nodes': 3,
  'Prometheus says nothing': 1,
  'Prometheus shows errors': 0.5,
  // People.
  'contradictory words': 3,
  "operator's word": 3,
  'policy change': 2,
  'bad policy': 0.5,
  'burst of releases': 1,
  'release of an older image': 1,
  'release that cannot be undone': 1,
  'strange message': 2,
} as const;

export type FaultKind = keyof typeof STORMY_PER_HOUR;
export const FAULT_KINDS = Object.keys(STORMY_PER_HOUR) as readonly FaultKind[];

/** What sets the bus back: rare, since much of what is promised otherwise cannot be judged behind it. */
export const SETS_BACK: ReadonlySet<FaultKind> = new Set([
  'bus loses its tail',
  'bus rewinds',
  'bus rewinds one stream',
  'stream made anew',
]);

/** What there is in a world beside one service with plain images: each in a share of the worlds. */
export interface Variety {
  /** Services that depend on each other, and release trains. */
  readonly severalServices: number;
  /** The first service is a unit of several parts. */
  readonly units: number;
  /** The policy of the first service, if that is none, watches a tag. */
  readonly watchedTags: number;
}
const PLAIN: Variety = { severalServices: 0, units: 0, watchedTags: 0 };

export interface Profile {
  readonly name: string;
  /** Each world draws its own rates from these; else they are meant as they stand. */
  readonly isSwarm: boolean;
  /** Policies of hours and days, as those of real fleets are; else of seconds and minutes. */
  readonly isSlow: boolean;
  readonly perHour: Readonly<Record<FaultKind, number>>;
  /** Of the images that are released. */
  readonly badReleases: number;
  readonly variety: Variety;
}

/** Rates as they stand; kinds that are not named do not strike. */
export function profileOf(
  name: string,
  perHour: Partial<Record<FaultKind, number>>,
  badReleases = 0.3,
  variety: Partial<Variety> = {},
): Profile {
  const rates = FAULT_KINDS.map((kind) => [kind, perHour[kind] ?? 0]);
  return {
    name,
    isSwarm: false,
    isSlow: false,
    perHour: Object.fromEntries(rates) as Record<FaultKind, number>,
    badReleases,
    variety: { ...PLAIN, ...variety },
  };
}

export const CALM: Profile = profileOf('calm', {});
/** Most worlds are plain ones. */
const VARIED: Variety = { severalServices: 0.25, units: 0.15, watchedTags: 0.2 };
export const STORMY: Profile = { ...profileOf('stormy', STORMY_PER_HOUR), isSwarm: true, variety: VARIED };

/** Weeks instead of hours, and as much in them. */
const SLOWER = 60;
const SELDOM = Object.entries(STORMY_PER_HOUR).map(([kind, perHour]) => [kind, perHour / SLOWER]);
export const SLOW: Profile = { ...STORMY, name: 'slow', perHour: Object.fromEntries(SELDOM), isSlow: true };

const KINDS_IN_A_WORLD = 0.5;
const WORLDS_SET_BACK = 0.25;
const SCALE = { min: 0.25, max: 4 };

/**
 * The rates of one world: some kinds only, each more or less often. Worlds in which everything happens are all alike, and
 * what needs a long quiet for one fault to matter never comes about in them (A. Groce et al., "Swarm Testing", ISSTA 2012).
 */
export function drawProfile(profile: Profile, chance: Chance): Profile {
  if (!profile.isSwarm) return profile;
  const isSetBack = chance.happens(WORLDS_SET_BACK);
  const perHour = Object.fromEntries(
    FAULT_KINDS.map((kind) => {
      const happens = chance.happens(KINDS_IN_A_WORLD) && (isSetBack || !SETS_BACK.has(kind));
      const scale = SCALE.min * (SCALE.max / SCALE.min) ** chance.next();
      return [kind, happens ? profile.perHour[kind] * scale : 0];
    }),
  );
  const drawn = profileOf(profile.name, perHour, Math.min(1, profile.badReleases * chance.between(0, 2)));
  return { ...drawn, isSlow: profile.isSlow, variety: profile.variety };
}
