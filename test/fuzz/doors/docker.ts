/** Doors that dockerd's words come to: labels and names of containers, the stream of events. Images bring labels too. */

import { Readable } from 'node:stream';
import type { InspectedContainer } from '@swell/agent/adapters/docker/inspected.ts';
import { readPart } from '@swell/agent/adapters/docker/marks.ts';
import { memoLabels, readMemo } from '@swell/agent/adapters/docker/memo.ts';
import {
  memberProgress,
  membersLeft,
  presentParts,
  probedParts,
  readMembers,
} from '@swell/agent/adapters/docker/swap/members.ts';
import { attainable, type Intent, nextStep } from '@swell/agent/adapters/docker/swap/plan.ts';
import { serviceChanges } from '@swell/agent/adapters/docker/watch/events.ts';
import { EngineError } from '@swell/agent/adapters/engine.ts';
import { isName } from '@swell/shared/domain/names.ts';
import type Docker from 'dockerode';
import * as fc from 'fast-check';
import { expectEqual, leavesPrototypesAlone } from '../demands.ts';
import type { Door } from '../door.ts';
import { print } from '../json-tree.ts';
import { strangeText, strangeTree } from '../strange.ts';
import { anyName } from './well-formed.ts';

const IDS = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)] as const;
const POLICIES = ['no', 'always', 'unless-stopped', 'on-failure'] as const;
const DAY_MS = 86_400_000;

const anyMemo = fc.record(
  {
    attempt: anyName,
    replaces: fc.constantFrom(...IDS),
    policy: fc.record(
      { Name: fc.constantFrom(...POLICIES), MaximumRetryCount: fc.nat(10) },
      { noNullPrototype: true },
    ),
    reference: anyName,
    oldState: fc.constantFrom('running' as const, 'broken' as const, 'stopped' as const),
    target: fc.constant(`sha256:${'0'.repeat(64)}`),
    stopTimeoutMs: fc.nat(DAY_MS),
    tenants: fc.array(fc.constantFrom(...IDS), { minLength: 1, maxLength: 3 }),
    along: fc.record(
      { service: fc.constantFrom('web', 'db'), lead: fc.constantFrom(...IDS) },
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: ['attempt', 'replaces', 'policy', 'reference', 'oldState'], noNullPrototype: true },
);

const LABELS = [
  'attempt',
  'replaces',
  'target',
  'restart-policy',
  'reference',
  'stop-timeout-ms',
  'old-state',
  'tenants',
  'along-with',
  'lead',
];
const strangeLabels = fc.dictionary(
  fc.constantFrom(...LABELS.map((label) => `swell.swap.${label}`)),
  fc.oneof(
    strangeText,
    fc.constantFrom('no:0', ':', 'always:-1', 'on-failure:NaN', '1e99', '-5', '0x10', ' ', ...IDS),
  ),
  { noNullPrototype: true },
);
const anyLabels = fc
  .tuple(fc.option(anyMemo), strangeLabels)
  .map(([memo, strange]) => ({ ...(memo !== null && memoLabels(memo)), ...strange }));

const label: Door = {
  name: 'labels of a container',
  property: fc.property(anyMemo, anyLabels, (memo, labels) => {
    expectEqual(readMemo(memoLabels(memo)), memo);
    const read = readMemo(labels);
    if (read === undefined) return;
    const { stopTimeoutMs = 0, policy } = read;
    if (!Number.isSafeInteger(stopTimeoutMs) || stopTimeoutMs < 0 || stopTimeoutMs > 30 * DAY_MS)
      throw new Error(`a stop may take ${stopTimeoutMs} ms`);
    if (!POLICIES.some((name) => name === policy.Name)) throw new Error(`a restart policy ${policy.Name}`);
    if (!Number.isSafeInteger(policy.MaximumRetryCount) || Number(policy.MaximumRetryCount) < 0)
      throw new Error(`a container is started again ${policy.MaximumRetryCount} times`);
  }),
};

const SUFFIXES = [
  '',
  '.swell-draft',
  '.swell-next',
  '.swell-failed',
  '.swell-prev',
  '.swell-old',
  '.swell-old.swell-old',
  '.swell',
];

const anyContainer: fc.Arbitrary<InspectedContainer> = fc
  .record({
    id: fc.constantFrom(...IDS),
    name: fc
      .tuple(fc.constantFrom('web', 'db', ''), fc.constantFrom(...SUFFIXES))
      .map((parts) => parts.join('')),
    labels: fc.option(anyLabels),
    running: fc.boolean(),
    started: fc.constantFrom('', '0001-01-01T00:00:00Z', '2026-01-01T00:00:00Z'),
    policy: fc.constantFrom(undefined, ...POLICIES, ''),
    networks: fc.option(fc.constantFrom({}, { bridge: {} }, { bridge: {}, back: {} })),
  })
  .map(({ id, name, labels, running, started, policy, networks }) => ({
    Id: id,
    Name: `/${name}`,
    Image: `sha256:${id}`,
    State: { Status: running ? 'running' : 'exited', Running: running, StartedAt: started },
    Config: { Labels: labels },
    HostConfig: policy === undefined ? {} : { RestartPolicy: { Name: policy } },
    NetworkSettings: { Networks: networks },
  }));

const INTENTS: readonly Intent[] = ['prepare', 'cut-over', 'commit', 'undo'];

const marks: Door = {
  name: 'marks of containers',
  property: fc.property(
    fc.array(anyContainer, { maxLength: 4 }),
    fc.constantFrom(...INTENTS),
    fc.nat(4),
    (containers, intent, own) => {
      const parts = containers.map(readPart);
      const found = readMembers('web', parts.slice(0, own), parts.slice(own));
      presentParts(found);
      probedParts(found);
      if (found.kind !== 'swap') return;
      memberProgress(found);
      membersLeft(found);
      const swaps = found.members.flat();
      if (intent === 'commit' || intent === 'undo') for (const swap of swaps) attainable(swap, intent);
      try {
        nextStep(swaps, intent, new Set());
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
      }
    },
  ),
};

const anyLine = fc.oneof(
  strangeTree.map(print),
  strangeText,
  fc
    .oneof(anyName, strangeText)
    .map((service) => JSON.stringify({ Actor: { Attributes: { 'swell.service': service } } })),
  fc.constantFrom(
    '{"Actor":null}',
    '{"Actor":{"Attributes":[]}}',
    '{"Actor":{"Attributes":{"swell.service":7}}}',
    '[]',
  ),
);

/** The name of a service becomes the name of a file: a label such as `../../etc` must not. */
const events: Door = {
  name: "dockerd's events",
  property: fc.asyncProperty(fc.array(anyLine, { maxLength: 5 }), async (lines) => {
    const leaving = new AbortController();
    const docker = {
      getEvents: async () =>
        Readable.from([Buffer.from(`${lines.join('\n')}\n`)]).on('close', () => leaving.abort()),
    };
    const changes = serviceChanges(docker as unknown as Docker, [], async () => [], leaving.signal);
    for await (const service of changes)
      if (typeof service !== 'string' || !isName(service))
        throw new Error(`a service ${JSON.stringify(service)}`);
    leavesPrototypesAlone();
  }),
  weight: 5,
};

export const DOCKER_DOORS: readonly Door[] = [label, marks, events];
