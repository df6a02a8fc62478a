/** Bytes that nobody understands, at every door by which messages come in (I13). */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import {
  controlSubject,
  haltKey,
  healthSubject,
  nodeKey,
  policyKey,
  pulseSubject,
  releaseSubject,
  waveKey,
} from '@swell/shared/protocol/subjects.ts';
import type { NodeModel } from '../node-model.ts';
import { SERVICE } from '../world.ts';
import type { Fault } from './fault.ts';

/** Slots are left out: what stands there without being understood is not free, for a day. */
const DOORS: readonly ((node: NodeModel, service: ServiceName) => string)[] = [
  (_node, service) => releaseSubject(service),
  (_node, service) => controlSubject(service),
  (_node, service) => policyKey(service),
  ({ region }, service) => waveKey(region, service),
  (_node, service) => haltKey(service),
  ({ region, name }, service) => healthSubject(region, service, name),
  ({ region, name }) => nodeKey(region, name),
  ({ region }) => pulseSubject(region),
];

const BODIES: readonly Uint8Array[] = [
  new Uint8Array(),
  new Uint8Array([0xff, 0xfe, 0x00]),
  ...['{', 'null', '[]', '17', '['.repeat(10_000), '{"image":"registry.example/web:v1"'].map((text) =>
    new TextEncoder().encode(text),
  ),
  ...[{}, { action: 'explode' }, { service: SERVICE, rollout: -1 }, { region: 'EU WEST', node: 7 }].map(
    encode,
  ),
];

export const DOOR_FAULTS = {
  'strange message': {
    per: 'world',
    strike(scene, chance) {
      const { model } = scene.node(chance);
      const subject = chance.pick(DOORS)(model, scene.service(chance));
      const body = chance.pick(BODIES);
      const { world } = scene;
      if (subject === pulseSubject(model.region)) world.server.broadcast(subject, body);
      else world.say(subject, body);
      return `${body.length} bytes on ${subject}`;
    },
  },
} as const satisfies Record<string, Fault>;
