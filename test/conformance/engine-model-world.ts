/** The model of a machine as a world for conformance cases: its time runs whenever a case waits for something. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { MemoryNode } from '../../packages/agent/src/adapters/memory-engine.ts';
import { Ailments } from '../simulation/ailments.ts';
import { Chance } from '../simulation/chance.ts';
import { NodeModel } from '../simulation/node-model.ts';
import { Process } from '../simulation/process.ts';
import { VirtualTime } from '../simulation/time.ts';
import { type EngineWorld, type Images, SERVICE } from './engine-world.ts';

const STEP_MS = 50;
const STOPPED = 'is stopped';

export async function modelEngineWorld(): Promise<EngineWorld> {
  const time = new VirtualTime(Date.now());
  const chance = new Chance('engine');
  const images = modelImages();
  const ailments = new Ailments();
  ailments.ail(images.sick.digest, 'sick');
  ailments.ail(images.hangs.digest, 'probe-hangs');
  ailments.ail(images.ends.digest, 'dies-at-start');
  const node = new MemoryNode();
  node.ailments.failsToStart.add(images.cannotStart.digest);
  node.ailments.missing.add(images.missing.digest);
  const witness = { wentOut() {}, cameBack() {}, works() {}, cleaned() {}, forgets() {} };
  const machine = new NodeModel({ region: 'eu', name: 'n1' }, node, { time, chance, ailments, witness });
  const end = new AbortController();
  const turning = (async () => {
    while (!end.signal.aborted) await time.run(time.nowMs + STEP_MS, () => end.signal.aborted);
  })();
  let agents = 0;
  const present = () => {
    const container = node.container(SERVICE);
    if (container === undefined) throw new Error('there is no container');
    return container;
  };
  return {
    images,
    engine() {
      agents += 1;
      return machine.engine(new Process(`agent-${agents}`, time, chance.fork(`agent-${agents}`)));
    },
    async run({ digest }) {
      machine.registryIsDown = false;
      machine.pullIsTampered = false;
      for (const service of node.services) node.remove(service);
      node.put(SERVICE, { up: node.starts(digest), digest });
    },
    async forget({ digest }) {
      node.images.delete(digest);
    },
    async registry(does) {
      machine.registryIsDown = does === 'nothing';
      machine.pullIsTampered = does === 'lie';
    },
    async stop() {
      node.put(SERVICE, { ...present(), up: false, obstacle: STOPPED });
    },
    async start() {
      const { obstacle: _, ...container } = present();
      node.put(SERVICE, { ...container, up: true });
    },
    async remove(which) {
      if (which === 'present') node.removePresent(SERVICE);
      else node.removeOther(SERVICE);
    },
    async die() {
      node.put(SERVICE, { ...present(), up: false });
    },
    async runOther(service) {
      node.put(service, { up: true, digest: images.v1.digest });
    },
    async containers() {
      const container = node.container(SERVICE);
      const { gone, progress, old, fresh } = node.swaps.get(SERVICE) ?? {};
      const other = gone !== undefined ? undefined : progress === 'prepared' ? fresh : old;
      return [container, other && { ...other, up: false }]
        .filter((one) => one !== undefined)
        .map(({ digest = 'none', up }) => ({ digest, up }));
    },
    pass: (ms) => new Promise((resolve) => void time.after(ms, resolve)),
    async [Symbol.asyncDispose]() {
      end.abort();
      await turning;
    },
  };
}

function modelImages(): Images {
  const image = (number: number): PinnedImage => ({
    repository: 'r.example/web',
    digest: `sha256:${String(number).repeat(64)}`,
  });
  return {
    v1: image(1),
    v2: image(2),
    sick: image(3),
    hangs: image(4),
    ends: image(5),
    cannotStart: image(6),
    missing: image(7),
  };
}
