/** Every kind of fault, by its name: what it does, until it is over. Where it hits is drawn from the storm's chance. */

import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Chance } from '../simulation/chance.ts';
import type { Cli } from './cli.ts';
import type { Place } from './network.ts';
import { recoverOrders } from './operator.ts';
import type { People } from './people.ts';
import type { Resident } from './resident.ts';
import type { World } from './world.ts';

/** What a fault may touch, and how it waits: the end of the storm ends every wait. */
export interface Stage {
  readonly world: World;
  readonly people: People;
  /** The operator's own. */
  readonly cli: Cli;
  readonly chance: Chance;
  wait(ms: number): Promise<void>;
  tell(what: string): void;
}

export interface Fault {
  readonly name: string;
  /** Needs the whole cluster, and the storm to itself. */
  readonly isAlone?: true;
  /** Cannot be without namespaces. */
  readonly cuts?: true;
  strike(stage: Stage): Promise<void>;
}

/** Longer than the leases of slots (6 s) and of leading (5 s). */
const PAST_LEASES_MS = [7_000, 13_000] as const;
const CUT_MS = [3_000, 11_000] as const;
const AWAY_MS = 1_000;

type Direction = 'both' | 'out' | 'in';

export const FAULTS: readonly Fault[] = [
  {
    name: 'stream leader killed',
    strike: async (stage) => killFor(stage, await leader(stage), stage.chance.between(500, 9_000)),
  },
  {
    name: 'stream follower killed',
    strike: async (stage) => {
      const followers = others(stage.world, await leader(stage));
      await killFor(stage, stage.chance.pick(followers), stage.chance.between(500, 9_000));
    },
  },
  { name: 'all servers killed', strike: killAllServers },
  {
    name: 'server frozen',
    strike: (stage) =>
      freezeFor(
        stage,
        stage.chance.pick(stage.world.parts.cluster.servers),
        stage.chance.between(...PAST_LEASES_MS),
      ),
  },
  {
    name: 'agents frozen',
    strike: (stage) =>
      freezeFor(stage, stage.chance.pick(stage.world.parts.hosts), stage.chance.between(...PAST_LEASES_MS)),
  },
  {
    name: 'coordinator frozen',
    strike: (stage) =>
      freezeFor(
        stage,
        stage.chance.pick(stage.world.parts.coordinators),
        stage.chance.between(...PAST_LEASES_MS),
      ),
  },
  {
    name: 'agents killed at random',
    strike: (stage) => killAgain(stage, stage.world.parts.hosts, { times: [8, 16], gapMs: [100, 1_500] }),
  },
  {
    name: 'coordinator killed every few seconds',
    strike: (stage) =>
      killAgain(stage, stage.world.parts.coordinators, { times: [4, 7], gapMs: [500, 4_000] }),
  },
  {
    name: 'server cut off from the other two',
    cuts: true,
    strike: (stage) => cutOff(stage, stage.chance.pick(stage.world.parts.cluster.servers), others, 'both'),
  },
  {
    name: 'stream leader cut off from the other two',
    cuts: true,
    strike: async (stage) => cutOff(stage, await leader(stage), others, 'both'),
  },
  {
    name: 'stream leader cut off one way',
    cuts: true,
    strike: async (stage) =>
      cutOff(stage, await leader(stage), others, stage.chance.pick(['out', 'in'] as const)),
  },
  {
    name: 'server cut off from everybody',
    cuts: true,
    strike: (stage) =>
      cutOff(
        stage,
        stage.chance.pick(stage.world.parts.cluster.servers),
        (world, server) => [...others(world, server), ...world.programs],
        'both',
      ),
  },
  {
    name: 'agents cut off',
    cuts: true,
    strike: (stage) => cutOff(stage, stage.chance.pick(stage.world.parts.hosts), servers, 'both'),
  },
  {
    name: 'agents cut off one way',
    cuts: true,
    strike: (stage) =>
      cutOff(
        stage,
        stage.chance.pick(stage.world.parts.hosts),
        servers,
        stage.chance.pick(['out', 'in'] as const),
      ),
  },
  {
    name: 'coordinator cut off',
    cuts: true,
    strike: (stage) =>
      cutOff(
        stage,
        stage.chance.pick(stage.world.parts.coordinators),
        servers,
        stage.chance.pick(['both', 'out', 'in'] as const),
      ),
  },
  { name: 'slots bucket deleted', isAlone: true, strike: deleteSlots },
  { name: 'stores put back', isAlone: true, strike: putStoresBack },
];

/** The server that leads a stream; any one while nobody knows. */
async function leader({ world, chance }: Stage): Promise<Resident> {
  const stream = chance.pick(Object.values(STREAMS));
  const anyone = chance.pick(world.parts.cluster.servers);
  return (await world.leaderOf(stream)) ?? anyone;
}

function others(world: World, server: Resident): readonly Resident[] {
  return servers(world).filter((one) => one !== server);
}

function servers({ parts }: World): readonly Resident[] {
  return parts.cluster.servers;
}

async function killFor(stage: Stage, victim: Resident, awayMs: number): Promise<void> {
  stage.tell(`${victim.name} for ${seconds(awayMs)}`);
  await victim.kill();
  await stage.wait(awayMs);
  victim.start();
}

async function freezeFor(stage: Stage, victim: Resident, forMs: number): Promise<void> {
  stage.tell(`${victim.name} for ${seconds(forMs)}`);
  victim.freeze();
  await stage.wait(forMs);
  victim.thaw();
}

async function killAllServers(stage: Stage): Promise<void> {
  const { cluster } = stage.world.parts;
  const awayMs = cluster.servers.map(() => stage.chance.between(200, 5_000));
  stage.tell(`for ${awayMs.map(seconds).join(', ')}`);
  await cluster.killAll();
  await Promise.all(
    cluster.servers.map(async (server, index) => {
      await stage.wait(awayMs[index] ?? 0);
      server.start();
    }),
  );
}

/** One of them, and another one, or the same: each is away for a moment. */
async function killAgain(
  stage: Stage,
  residents: readonly Resident[],
  { times, gapMs }: Readonly<Record<'times' | 'gapMs', readonly [number, number]>>,
): Promise<void> {
  const { chance } = stage;
  const victims = Array.from({ length: chance.whole(...times) }, () => chance.pick(residents));
  stage.tell(victims.map(({ name }) => name).join(', '));
  const back: Promise<void>[] = [];
  for (const victim of victims) {
    await victim.kill();
    back.push(stage.wait(chance.exponential(AWAY_MS)).then(() => victim.start()));
    await stage.wait(chance.between(...gapMs));
  }
  await Promise.all(back);
}

async function cutOff(
  stage: Stage,
  victim: Resident,
  from: (world: World, victim: Resident) => readonly Resident[],
  direction: Direction,
): Promise<void> {
  const { world, chance } = stage;
  const { network } = world.parts;
  const forMs = chance.between(...CUT_MS);
  const far = from(world, victim).map(({ place }) => place);
  stage.tell(
    `${victim.name} from ${far.map(({ name }) => name).join(', ')} (${direction}) for ${seconds(forMs)}`,
  );
  const ways = far.flatMap((place) => waysBetween(victim.place, place, direction));
  for (const [one, other] of ways) await network.cut(one, other);
  try {
    await stage.wait(forMs);
  } finally {
    for (const [one, other] of ways) await network.cut(one, other, 'mend');
  }
}

function waysBetween(near: Place, far: Place, direction: Direction): readonly (readonly [Place, Place])[] {
  return [
    ...(direction === 'in' ? [] : [[near, far] as const]),
    ...(direction === 'out' ? [] : [[far, near] as const]),
  ];
}

async function deleteSlots(stage: Stage): Promise<void> {
  stage.tell('by hand, in the middle of it');
  await stage.world.deleteBucket(STREAMS.slots, async () => {
    await stage.cli.run('kv', 'del', 'swell_slots', '-f');
  });
}

/** The disks of all three are kept, and put back a while later, as from a backup; then an operator does what OPERATIONS says. */
async function putStoresBack(stage: Stage): Promise<void> {
  const { world, chance } = stage;
  const laterMs = chance.between(8_000, 20_000);
  stage.tell(`to what they are now, ${seconds(laterMs)} later`);
  const marks = await world.keepStores();
  await stage.wait(laterMs);
  if (!(await world.untilClusterIsWell())) return;
  await stage.people.hush(async () => {
    await world.putStoresBack(marks);
    if (await world.untilClusterIsWell()) await recoverOrders(stage);
  });
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
