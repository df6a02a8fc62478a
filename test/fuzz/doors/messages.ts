/** Doors that messages of the bus come to. */

import { journalSchema } from '@swell/agent/protocol/journal.ts';
import { operatorPolicySchema } from '@swell/agent/protocol/operator-word.ts';
import { layeredPolicy, type PolicyLayer } from '@swell/shared/domain/policy.ts';
import { emptyRecord } from '@swell/shared/domain/rollout.ts';
import { PART_PATTERN } from '@swell/shared/domain/unit.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { controlSchema } from '@swell/shared/protocol/control.ts';
import { tagHintSchema } from '@swell/shared/protocol/hints.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { haltSchema, waveSchema } from '@swell/shared/protocol/orders.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import { pulseSchema } from '@swell/shared/protocol/pulse.ts';
import {
  eventSchema,
  leaseSchema,
  RECORD_BYTES_MAX,
  serviceRecordSchema,
} from '@swell/shared/protocol/records.ts';
import { presenceSchema, reportSchema } from '@swell/shared/protocol/reports.ts';
import { slotHolderSchema } from '@swell/shared/protocol/slots.ts';
import * as fc from 'fast-check';
import { type Door, goesThrough, messageDoor } from '../door.ts';
import type { ByField } from '../from-schema.ts';
import {
  anyDuration,
  anyGates,
  anyMoment,
  anyReference,
  anyRegions,
  anySafeRate,
  anyStages,
  anyTag,
  anyVersion,
  anyWindows,
} from './well-formed.ts';

export const byField: ByField = {
  image: anyReference,
  images: fc.dictionary(fc.stringMatching(PART_PATTERN), anyReference, { minKeys: 2, maxKeys: 4 }),
  stages: anyStages,
  regions: anyRegions,
  gates: anyGates,
  watch: fc.record({ image: anyTag, mode: fc.constantFrom('auto', 'propose') }),
  windows: anyWindows,
  safeRate: anySafeRate,
  minimumVersion: fc.oneof(anyVersion, fc.array(anyVersion, { minLength: 1, maxLength: 3 })),
  notBefore: anyMoment,
  expires: anyMoment,
  coolDown: anyDuration(0, 30 * 86_400_000),
  firstGroupSoak: anyDuration(0, 30 * 86_400_000),
  stagingSpread: anyDuration(0, 86_400_000),
  soak: anyDuration(0, 30 * 86_400_000),
  progressDeadline: anyDuration(1_000, 30 * 86_400_000),
  slotLease: anyDuration(2_000, 86_400_000),
  stopTimeout: anyDuration(0, 86_400_000),
  every: anyDuration(10_000, 30 * 86_400_000),
  interval: anyDuration(100, 600_000),
  timeout: anyDuration(100, 600_000),
  minHealthyTime: anyDuration(0, 86_400_000),
  healthyDeadline: anyDuration(500, 86_400_000),
};

const DIGEST = `sha256:${'5'.repeat(64)}`;

/** What people ask for has to fit into what programs say because of it: the coordinator's record, and every wave. */
function fitsRecordAndWave(layer: PolicyLayer): void {
  const record = { ...emptyRecord('web'), policy: { sequence: 1, storedAtMs: 1_700_000_000_000, layer } };
  goesThrough(record, serviceRecordSchema, RECORD_BYTES_MAX);
  const policy = layeredPolicy(layer);
  const wave: Wave = {
    region: 'r'.repeat(63),
    service: 's'.repeat(63),
    release: {
      rollout: Number.MAX_SAFE_INTEGER,
      service: 's'.repeat(63),
      image: { repository: 'i'.repeat(1_000), digest: DIGEST, tag: 't'.repeat(128) },
      version: 'v'.repeat(128),
    },
    phase: 'open',
    stage: { number: 1, of: policy.stagesPercent.length, percent: policy.stagesPercent[0] ?? 100 },
    seed: `${'s'.repeat(63)}/1/${DIGEST}`,
    stageBelow: 1,
    cursor: 1 / 3,
    slots: 1,
    slotLeaseMs: policy.slotLeaseMs,
    stagingSpreadMs: policy.stagingSpreadMs,
    ...(policy.stopTimeoutMs !== undefined && { stopTimeoutMs: policy.stopTimeoutMs }),
    health: policy.health,
    drain: policy.drain,
    rejoin: policy.rejoin,
  };
  goesThrough(wave, waveSchema);
}

export const MESSAGE_DOORS: readonly Door[] = [
  messageDoor({
    name: 'release',
    schema: releaseSchema,
    byField,
    unknownFields: 'refused',
    taken(release) {
      const record = { ...emptyRecord('web'), candidate: { rollout: 1, publishedAtMs: 1, ...release } };
      goesThrough(record, serviceRecordSchema, RECORD_BYTES_MAX);
      fitsRecordAndWave(release.overrides);
    },
  }),
  messageDoor({
    name: 'control',
    schema: controlSchema,
    byField,
    unknownFields: 'refused',
    // What a word leaves behind has to fit into the coordinator's record.
    taken: (word) => {
      const held = word.action === 'hold' ? [word.hold] : [];
      goesThrough({ ...emptyRecord('web'), held }, serviceRecordSchema, RECORD_BYTES_MAX);
    },
  }),
  messageDoor({
    name: 'policy',
    schema: policySchema,
    byField,
    unknownFields: 'refused',
    taken: fitsRecordAndWave,
  }),
  messageDoor({
    name: "operator's policy file",
    schema: operatorPolicySchema,
    byField: {
      windows: fc.array(fc.constantFrom('08:00-09:00', 'sat,sun 22:00-5:00 Europe/Vienna'), { minLength: 1 }),
    },
    unknownFields: 'refused',
    // It is read, and never written by us.
    taken: () => {},
  }),
  messageDoor({ name: 'wave', schema: waveSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'halt', schema: haltSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'slot', schema: slotHolderSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'health report', schema: reportSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'presence', schema: presenceSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'hint of a tag', schema: tagHintSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'pulse', schema: pulseSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'lease', schema: leaseSchema, unknownFields: 'ignored' }),
  messageDoor({ name: 'event', schema: eventSchema, unknownFields: 'ignored' }),
  messageDoor({
    name: 'service record',
    schema: serviceRecordSchema,
    bytesMax: RECORD_BYTES_MAX,
    unknownFields: 'ignored',
  }),
  messageDoor({ name: 'journal', schema: journalSchema, unknownFields: 'ignored' }),
];
