/** The bus itself: it restarts, stands still, loses its leaders, and comes back older than it was. */

import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Chance } from '../chance.ts';
import { type Fault, type Scene, seconds } from './fault.ts';

const DOWN_MS = 5_000;
const ENSURED_MS = 2_000;
/** As a coordinator looks at the layout. */
const LOOKS_AGAIN_MS = 15_000;
const FROZEN_MS = 15_000;
const ELECTION_MS = { min: 1_000, max: 8_000 };
const TAIL_MAX = 40;
const CLOCK_OFF_MS = [5_000, 60_000, 3_600_000];

export const BUS_FAULTS = {
  'bus restart': { per: 'world', strike: (scene, chance) => restart(scene, chance) },
  'bus frozen': {
    per: 'world',
    strike(scene, chance) {
      const ms = chance.exponential(FROZEN_MS);
      scene.world.server.freeze();
      scene.later(ms, () => scene.world.server.thaw());
      return `for ${seconds(ms)}`;
    },
  },
  'bus leader lost': {
    per: 'world',
    strike(scene, chance) {
      const ms = chance.between(ELECTION_MS.min, ELECTION_MS.max);
      const streams = drawStreams(chance, scene.world.server.names());
      scene.world.server.loseLeader(ms, streams);
      return `${streams.join(', ')} for ${seconds(ms)}`;
    },
  },
  'bus clock jump': {
    per: 'world',
    strike(scene, chance) {
      const { server } = scene.world;
      const maxMs = chance.pick(CLOCK_OFF_MS);
      server.skewMs = chance.between(-maxMs, maxMs);
      return `it is off by ${seconds(server.skewMs)}`;
    },
  },
  /** A power cut on a disk that had not been told to sync. */
  'bus loses its tail': {
    per: 'world',
    strike(scene, chance) {
      const streams = drawStreams(chance, onDisk(scene));
      const count = chance.whole(1, TAIL_MAX);
      const told = restart(scene, chance, () =>
        scene.setBack(streams, (stream) => scene.world.server.loseTail(stream, count)),
      );
      return `${told}; the last ${count} of ${streams.join(', ')} are gone`;
    },
  },
  /** A whole disk is put back. */
  'bus rewinds': { per: 'world', strike: (scene, chance) => rewind(scene, chance, onDisk(scene)) },
  'bus rewinds one stream': {
    per: 'world',
    strike: (scene, chance) => rewind(scene, chance, [chance.pick(onDisk(scene))]),
  },
  'stream made anew': {
    per: 'world',
    strike(scene, chance) {
      // The one whose loss is the most dangerous, every second time.
      const stream = chance.happens(0.5) ? STREAMS.slots : chance.pick(onDisk(scene));
      scene.setBack([stream], () => scene.world.server.recreate(stream));
      return stream;
    },
  },
} as const satisfies Record<string, Fault>;

/** One of them, or all. */
function drawStreams(chance: Chance, streams: readonly string[]): readonly string[] {
  const one = chance.pick(streams);
  return chance.happens(0.5) ? streams : [one];
}

function onDisk({ world }: Scene): readonly string[] {
  return world.server.names().filter((name) => name !== STREAMS.nodes);
}

/** What lay in memory is made again by a coordinator that looks after the layout, a while later. */
function restart({ world, later }: Scene, chance: Chance, meanwhile: () => void = () => {}): string {
  const { server } = world;
  const ms = chance.exponential(DOWN_MS);
  const ensuredMs = ms + chance.exponential(ENSURED_MS);
  server.down();
  meanwhile();
  later(ms, () => server.up());
  // A bus that does not answer then is asked again.
  const ensure = (): void => {
    if (server.state === 'up') server.ensure();
    else later(LOOKS_AGAIN_MS, ensure);
  };
  later(ensuredMs, ensure);
  return `down for ${seconds(ms)}`;
}

function rewind(scene: Scene, chance: Chance, streams: readonly string[]): string {
  const backup = chance.pick(scene.backups);
  const told = restart(scene, chance, () =>
    scene.setBack(streams, (stream) => {
      const was = backup.streams.get(stream);
      if (was !== undefined) scene.world.server.rewind(was);
    }),
  );
  return `${told}; ${streams.join(', ')} as ${seconds(scene.world.nowMs - backup.atMs)} ago`;
}
