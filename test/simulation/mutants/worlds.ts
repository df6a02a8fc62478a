/** The worlds in which planted bugs are looked for: small, short and rough, so that hundreds of lives take minutes. */

import { type Profile, profileOf } from '../profile.ts';

export interface MutantWorld {
  readonly nodes: number;
  readonly stormHours: number;
  readonly profile: Profile;
}

/** What people do out of order; without it a world is one release after the other. */
const LIVELY = {
  "operator's word": 6,
  'contradictory words': 3,
  'policy change': 6,
  'burst of releases': 2,
  'release of an older image': 3,
  'image ails on some nodes': 6,
} as const;

export const WORLDS = {
  /** Nothing breaks but images; people are lively. */
  quiet: { nodes: 15, stormHours: 0.7, profile: profileOf('quiet', LIVELY, 0.4) },
  /** The policy changes all the time. */
  fickle: {
    nodes: 15,
    stormHours: 0.7,
    profile: profileOf('fickle', { ...LIVELY, 'policy change': 40 }, 0.1),
  },
  /** A policy that stays, and nothing breaks: whatever it says of when and who is kept for a while. */
  planned: {
    nodes: 15,
    stormHours: 1.5,
    profile: profileOf('planned', { 'policy change': 4, 'Prometheus says nothing': 12 }, 0.05),
  },
  /** Much of what is released cannot be undone, and agents die in the middle of it. */
  irreversible: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf(
      'irreversible',
      { ...LIVELY, 'release that cannot be undone': 20, 'agent crash': 1, 'agent dies at an effect': 6 },
      0.4,
    ),
  },
  /** The service is a unit of two parts; images are bad, and some nodes have one part only. */
  stacked: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf('stacked', { ...LIVELY, 'agent dies at an effect': 4 }, 0.3, { units: 1 }),
  },
  /** The policy watches a tag that moves; coordinators die, and the registry is away, slow, or wants to be left alone. */
  watchful: {
    nodes: 6,
    stormHours: 0.8,
    profile: profileOf(
      'watchful',
      {
        'policy change': 1,
        'coordinator crash': 10,
        'coordinator dies at an effect': 30,
        'registry down': 0.5,
        'registry limits the rate': 1,
        'registry answers slowly': 1,
      },
      0.2,
      { watchedTags: 1 },
    ),
  },
  /** Services that depend on each other, and trains of releases; words of people stop them. */
  chained: {
    nodes: 10,
    stormHours: 1,
    profile: profileOf('chained', { ...LIVELY, 'policy change': 2 }, 0.3, { severalServices: 1 }),
  },
  /** Operators talk all the time, and take the lead from whoever has it. */
  talkative: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf('talkative', {
      ...LIVELY,
      "operator's word": 60,
      'contradictory words': 20,
      'release of an older image': 40,
      'lease wiped by hand': 6,
    }),
  },
  /** Agents die in the middle of what they do. */
  deadly: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf('deadly', {
      ...LIVELY,
      'agent crash': 4,
      'agent dies at an effect': 20,
      'coordinator dies at an effect': 30,
    }),
  },
  /** Machines stop, go away and lose their way to the bus, for longer than a lease. */
  absent: {
    nodes: 15,
    stormHours: 0.7,
    profile: profileOf('absent', {
      ...LIVELY,
      'agent crash': 1,
      'agent paused': 2,
      'agent stops at an effect': 6,
      'node off for minutes': 2,
      'node off for hours': 0.2,
      'node off for good': 0.1,
      'node joins': 0.2,
      'slow node': 2,
      'connection cut': 4,
      'partition both ways': 2,
      'partition one way': 2,
      'bus restart': 2,
    }),
  },
  /** The ways to the bus are blocked for a minute or more, and many images are bad. */
  severed: {
    nodes: 15,
    stormHours: 0.7,
    profile: profileOf('severed', { ...LIVELY, 'partition both ways': 15 }, 0.6),
  },
  /** Now and then a word is lost on its way to the bus; then there is a long quiet. */
  patchy: {
    nodes: 15,
    stormHours: 0.7,
    profile: profileOf('patchy', { ...LIVELY, 'publishes lost': 8 }),
  },
  /** What is said on the bus is late, lost, or heard twice. */
  lossy: {
    nodes: 15,
    stormHours: 0.7,
    profile: profileOf('lossy', {
      ...LIVELY,
      'agent crash': 1,
      'connection cut': 3,
      'words late': 8,
      'messages lost': 12,
      'messages twice': 6,
      'publishes lost': 12,
      'stale reads': 12,
    }),
  },
  /** Coordinators die, stop and are cut off all the time, and so does the bus. */
  leaderless: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf('leaderless', {
      ...LIVELY,
      'coordinator crash': 60,
      'coordinator dies at an effect': 60,
      'two leaders': 40,
      'bus leader lost': 10,
      'bus restart': 4,
    }),
  },
  /** Coordinators die with their words on their lips, on a bus that loses what they say. */
  frayed: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf('frayed', {
      ...LIVELY,
      "operator's word": 30,
      'burst of releases': 10,
      'coordinator crash': 40,
      'coordinator dies at an effect': 60,
      'coordinator stops at an effect': 100,
      'two leaders': 40,
      'publishes lost': 20,
    }),
  },
  /** The bus comes back older than it was. */
  rewound: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf('rewound', {
      ...LIVELY,
      'agent crash': 2,
      'bus loses its tail': 3,
      'bus rewinds': 3,
      'bus rewinds one stream': 6,
      'stream made anew': 3,
    }),
  },
  /** Journals are lost, disks fill up, somebody lays hands on the containers. */
  handled: {
    nodes: 12,
    stormHours: 0.7,
    profile: profileOf('handled', {
      ...LIVELY,
      'agent crash': 2,
      'agent dies at an effect': 8,
      'journal lost': 8,
      'journal set back': 1,
      'full disk': 1,
      'dockerd restart': 2,
      'container stopped by hand': 0.5,
      'container replaced by hand': 0.5,
      'word in the policy file': 6,
    }),
  },
} as const satisfies Record<string, MutantWorld>;

/** `one node`: its agent is a service of its own, and updates itself (`../one-node`). `scopes`: a fleet in several (`in-scopes`). */
export type WorldName = keyof typeof WORLDS | 'one node' | 'scopes';
