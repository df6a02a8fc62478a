/** Machines that go away, fill up, stall, and that somebody lays hands on. */

import type { Leave } from '@swell/agent/core/container.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { parseWindow, type TimeWindow } from '@swell/shared/domain/window.ts';
import type { Chance } from '../chance.ts';
import type { NodeModel } from '../node-model.ts';
import { stackOf } from '../units.ts';
import { digestOf, type SimulatedNode } from '../world.ts';
import { drawDeath, type Fault, type Scene, seconds } from './fault.ts';

const MINUTES_MS = 180_000;
const HOURS_MS = 5_400_000;
const HOUR_MS = 3_600_000;
const STOPPED = 'is stopped';

const SAID_NOTHING: NodeModel['word'] = { ok: true, value: [] };

/** Each of them forbids every start; a window is hours away, whatever the node's clock shows. */
const WORDS: readonly ((nowMs: number) => NodeModel['word'])[] = [
  () => ({ ok: true, value: [{ freeze: true }] }),
  () => ({ ok: true, value: [{ optOut: true }] }),
  () => ({ ok: true, value: [{ pin: true }] }),
  () => ({ ok: false, problems: ['the message is not JSON'] }),
  (nowMs) => {
    const fromMinute = ((new Date(nowMs).getUTCHours() + 12) % 24) * 60;
    const text = `${String(fromMinute / 60).padStart(2, '0')}:00-${String(fromMinute / 60).padStart(2, '0')}:59`;
    return { ok: true, value: [{ windows: [parseWindow(text) as TimeWindow] }] };
  },
];

export const MACHINE_FAULTS = {
  'node off for minutes': {
    per: 'machine',
    strike: (scene, chance) => switchOff(scene, scene.node(chance), chance.exponential(MINUTES_MS)),
  },
  'node off for hours': {
    per: 'machine',
    strike: (scene, chance) =>
      switchOff(scene, scene.node(chance), HOUR_MS / 2 + chance.exponential(HOURS_MS)),
  },
  'node off for good': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      node.isGone = true;
      scene.world.killAgent(node, drawDeath(chance, 1));
      node.model.powerOff();
      return node.model.name;
    },
  },
  'node joins': {
    per: 'machine',
    strike(scene) {
      const node = scene.world.addNode();
      scene.world.startAgent(node);
      return node.model.name;
    },
  },
  'slow node': {
    per: 'machine',
    strike(scene, chance) {
      const { model } = scene.node(chance);
      model.slowness = chance.between(1, 20);
      scene.later(chance.exponential(300_000), () => {
        model.slowness = 1;
      });
      return model.name;
    },
  },
  'full disk': {
    per: 'machine',
    strike(scene, chance) {
      const { model } = scene.node(chance);
      model.diskIsFull = true;
      scene.later(chance.exponential(120_000), () => {
        model.diskIsFull = false;
      });
      return model.name;
    },
  },
  'word in the policy file': {
    per: 'machine',
    strike(scene, chance) {
      const { model } = scene.node(chance);
      const word = chance.pick(WORDS)(scene.world.time.nowMs);
      model.word = word;
      scene.world.judge.operatorSays(model);
      scene.later(chance.exponential(600_000), () => {
        if (model.word === word) takeBack(scene, model);
      });
      return `${model.name}: ${JSON.stringify(word.ok ? word.value : word.problems)}`;
    },
  },
  'application asks for later': {
    per: 'machine',
    strike(scene, chance) {
      return answer(scene, chance, { is: 'deferred', why: 'its application is busy' });
    },
  },
  'application vetoes': {
    per: 'machine',
    strike(scene, chance) {
      return answer(scene, chance, { is: 'vetoed', why: 'its application will not have it' });
    },
  },
  'clock jump': {
    per: 'machine',
    strike(scene, chance) {
      const { model, running } = scene.node(chance);
      model.skewMs = chance.between(-HOUR_MS, HOUR_MS);
      if (running !== undefined) running.process.skewMs = model.skewMs;
      return `${model.name} is off by ${seconds(model.skewMs)}`;
    },
  },
  'dockerd restart': {
    per: 'machine',
    strike(scene, chance) {
      const { model } = scene.node(chance);
      model.dockerdDownUntilMs = scene.world.nowMs + chance.exponential(10_000);
      return model.name;
    },
  },
  'dockerd restart with its containers': {
    per: 'machine',
    strike(scene, chance) {
      const { model } = scene.node(chance);
      const ms = chance.exponential(10_000);
      model.dockerdDownUntilMs = scene.world.nowMs + ms;
      model.stopContainers();
      scene.later(ms, () => model.startContainers());
      return model.name;
    },
  },
  'container stopped by hand': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      const ms = chance.exponential(300_000);
      if (!isWithinReach(scene, node)) return `${node.model.name} is out of reach`;
      const service = scene.service(chance);
      stopByHand(scene, node.model, service);
      scene.later(ms, () => startByHand(scene, node.model, service));
      return `${node.model.name} for ${seconds(ms)}`;
    },
  },
  'container removed by hand': {
    per: 'machine',
    strike: (scene, chance) => remove(scene, scene.node(chance), chance, chance.exponential(200_000)),
  },
  'container replaced by hand': {
    per: 'machine',
    strike: (scene, chance) => remove(scene, scene.node(chance), chance, 0),
  },
} as const satisfies Record<string, Fault>;

/** The machine is off, with its agent and its containers. */
function switchOff(scene: Scene, node: SimulatedNode, ms: number): string {
  const { world } = scene;
  node.offUntilMs = Math.max(node.offUntilMs, world.nowMs + ms);
  world.killAgent(node, { awayMs: ms, arriving: 0 });
  node.model.powerOff();
  node.model.stopContainers();
  scene.later(ms, () => {
    if (world.nowMs < node.offUntilMs) return;
    node.model.startContainers();
    world.startAgent(node);
  });
  return `${node.model.name} for ${seconds(ms)}`;
}

/** Nobody's hand reaches a machine that is off, or a dockerd that does not answer. */
function isWithinReach({ world }: Scene, { model, isGone, offUntilMs }: SimulatedNode): boolean {
  return !isGone && world.nowMs >= Math.max(offUntilMs, model.dockerdDownUntilMs);
}

/** As the Docker engine would, this one then says that the container is not to be touched (I12). */
function stopByHand({ world }: Scene, model: NodeModel, service: ServiceName): void {
  const container = model.containers.container(service);
  if (container?.up !== true) return;
  world.judge.operatorStops(model, service);
  model.containers.put(service, { ...container, up: false, obstacle: STOPPED });
}

function startByHand({ world }: Scene, model: NodeModel, service: ServiceName): void {
  world.judge.operatorStarts(model, service);
  const { obstacle, ...container } = model.containers.container(service) ?? { up: false };
  if (obstacle === STOPPED) model.containers.put(service, { ...container, up: true });
}

/** `docker rm -f`, and after a while `compose up` with the image that ran or with the one of old. */
function remove(scene: Scene, node: SimulatedNode, chance: Chance, ms: number): string {
  const { model } = node;
  const service = scene.service(chance);
  const { digest: old, parts } = model.containers.container(service) ?? {};
  const digest = chance.happens(0.5) ? undefined : old;
  const first = parts === undefined ? { up: true, digest: digestOf('v1') } : stackOf(digestOf('v1'), parts);
  if (!isWithinReach(scene, node) || !model.hosts.has(service)) return `${model.name} is out of reach`;
  const change = (by: () => void): void => {
    by();
    scene.world.judge.changedByHand(model, service);
  };
  change(() => model.containers.remove(service));
  scene.later(ms, () =>
    change(() => model.containers.put(service, { ...first, ...(digest !== undefined && { digest }) })),
  );
  return `${model.name}, another one after ${seconds(ms)}`;
}

/** For a while: whoever asks for leave meanwhile has it from the application. */
function answer(scene: Scene, chance: Chance, leave: Leave): string {
  const { model } = scene.node(chance);
  model.leave = leave;
  scene.later(chance.exponential(300_000), () => {
    if (model.leave === leave) model.leave = { is: 'given' };
  });
  return model.name;
}

/** Its operator says nothing any more. */
export function takeBack({ world }: Scene, model: NodeModel): void {
  model.word = SAID_NOTHING;
  world.judge.operatorIsSilent(model);
}
