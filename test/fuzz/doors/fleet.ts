/**
 * I13, one level up: bytes come to real programs through their real doors, in the middle of a rollout. What does not parse
 * changes nothing and is reported with its reason; what parses, however strange it is, ends no program.
 */

import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { controlSchema } from '@swell/shared/protocol/control.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { haltSchema, waveSchema } from '@swell/shared/protocol/orders.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import { pulseSchema } from '@swell/shared/protocol/pulse.ts';
import { leaseSchema } from '@swell/shared/protocol/records.ts';
import { presenceSchema, reportSchema } from '@swell/shared/protocol/reports.ts';
import { slotHolderSchema } from '@swell/shared/protocol/slots.ts';
import {
  controlSubject,
  haltKey,
  healthSubject,
  LEASE_KEY,
  nodeKey,
  policyKey,
  pulseSubject,
  releaseSubject,
  slotKey,
  waveKey,
} from '@swell/shared/protocol/subjects.ts';
import * as fc from 'fast-check';
import type { z } from 'zod';
import { readShapes } from '../../simulation/bus/definition.ts';
import { type Body, bodies } from '../bodies.ts';
import { expectEqual, leavesPrototypesAlone } from '../demands.ts';
import type { Door } from '../door.ts';
import { digestOf, FuzzedFleet, NODES, REGION, SERVICE } from '../fleet.ts';
import { type ByField, fromSchema } from '../from-schema.ts';
import { byField } from './messages.ts';

const shapes = await readShapes();

/** Where a kind of message is published, and where it is said that one was refused. */
interface Entrance {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly subject: string;
  readonly told:
    | 'by an event of its own'
    | 'as a rejected message'
    | 'in the log of an agent'
    | 'in the log of a coordinator';
  /** Is it stored, or plainly published? */
  readonly plain?: true;
  /** Only coordinators may publish it: nobody else can come with one that parses. */
  readonly guarded?: true;
}

/** Beyond the slots of the wave: a slot that nobody can read is held, and here it is in nobody's way. */
const SPARE_SLOT = 7;
const node = NODES[0];

const ENTRANCES: readonly Entrance[] = [
  {
    name: 'release',
    schema: releaseSchema,
    subject: releaseSubject(SERVICE),
    told: 'by an event of its own',
  },
  {
    name: 'control',
    schema: controlSchema,
    subject: controlSubject(SERVICE),
    told: 'by an event of its own',
  },
  { name: 'policy', schema: policySchema, subject: policyKey(SERVICE), told: 'by an event of its own' },
  {
    name: 'presence',
    schema: presenceSchema,
    subject: nodeKey(REGION, 'stranger'),
    told: 'as a rejected message',
  },
  {
    name: 'presence of a node',
    schema: presenceSchema,
    subject: nodeKey(REGION, node),
    told: 'as a rejected message',
  },
  {
    name: 'report',
    schema: reportSchema,
    subject: healthSubject(REGION, SERVICE, node),
    told: 'as a rejected message',
  },
  {
    name: 'slot',
    schema: slotHolderSchema,
    subject: slotKey(REGION, SERVICE, SPARE_SLOT),
    told: 'as a rejected message',
  },
  {
    name: 'wave',
    schema: waveSchema,
    subject: waveKey(REGION, SERVICE),
    told: 'in the log of an agent',
    guarded: true,
  },
  {
    name: 'halt',
    schema: haltSchema,
    subject: haltKey(SERVICE),
    told: 'in the log of an agent',
    guarded: true,
  },
  {
    name: 'pulse',
    schema: pulseSchema,
    subject: pulseSubject(REGION),
    told: 'in the log of an agent',
    plain: true,
    guarded: true,
  },
  {
    name: 'lease',
    schema: leaseSchema,
    subject: LEASE_KEY,
    told: 'in the log of a coordinator',
    guarded: true,
  },
];

/** Of this very fleet, so that a message is about something. */
const here: ByField = {
  ...byField,
  region: fc.constantFrom(REGION, REGION, REGION, 'us'),
  node: fc.constantFrom(...NODES, 'stranger'),
  service: fc.constantFrom(SERVICE, SERVICE, SERVICE, 'db'),
  digest: fc.constantFrom(digestOf(1), digestOf(2), digestOf(9)),
  rollout: fc.constantFrom(0, 1, 2, 3, Number.MAX_SAFE_INTEGER),
};

interface Assault {
  readonly entrance: Entrance;
  readonly sent: readonly Body[];
}

function assaults(entrances: readonly Entrance[], mayParse: boolean): fc.Arbitrary<Assault> {
  const each = entrances.map((entrance) =>
    fc
      .array(
        bodies(fromSchema(entrance.schema, here)).filter(
          ({ bytes }) => mayParse || !decode(bytes, entrance.schema).ok,
        ),
        { minLength: 1, maxLength: 12 },
      )
      .map((sent): Assault => {
        const shown = (): string => `${entrance.name}: ${fc.stringify(sent)}`;
        return Object.assign({ entrance, sent }, { [fc.toStringMethod]: shown });
      }),
  );
  return fc.oneof(...each);
}

/** Sends them, and returns the sequences under which they were stored. */
async function send(fleet: FuzzedFleet, { entrance, sent }: Assault): Promise<readonly number[]> {
  const stored: number[] = [];
  for (const { bytes } of sent) {
    if (entrance.plain === true) fleet.server.broadcast(entrance.subject, bytes);
    else stored.push(fleet.server.say(entrance.subject, bytes) ?? 0);
    await fleet.pass(200);
  }
  return stored;
}

/** Every one of them was refused aloud, with a reason, in the place where that is to be expected. */
function areTold(fleet: FuzzedFleet, { entrance, sent }: Assault, sequences: readonly number[]): void {
  const { name, told, subject } = entrance;
  if (told === 'in the log of a coordinator') {
    const lines = fleet.lines.filter(({ msg }) => msg === 'the lease does not parse');
    if (lines.length === 0) throw new Error('no coordinator says that it cannot read the lease');
    return;
  }
  if (told === 'in the log of an agent') {
    const lines = fleet.lines.filter(
      ({ msg, problems = [] }) => msg === 'message rejected' && problems.length > 0,
    );
    if (lines.length < sent.length) throw new Error(`${lines.length} of ${sent.length} were logged`);
    return;
  }
  const ids = sequences.map((sequence) =>
    told === 'as a rejected message'
      ? `${subject}.${sequence}`
      : `${SERVICE}.${name === 'release' ? sequence : 0}.${name}-rejected.`,
  );
  const events = fleet.events().filter(({ problems = [] }) => problems.length > 0);
  for (const id of ids)
    if (!events.some((event) => event.id.startsWith(id)))
      throw new Error(`nothing says that ${id} was refused`);
}

const refused: Door = {
  name: 'fleet: what does not parse',
  property: fc.asyncProperty(assaults(ENTRANCES, false), fc.string(), async (assault, seed) => {
    const fleet = await FuzzedFleet.halfWay(shapes, seed);
    const before = fleet.standing();
    const sequences = await send(fleet, assault);
    // A coordinator that was deposed leads again, and has written over what was none of its own.
    await fleet.pass(40_000);
    expectEqual(fleet.standing(), before);
    expectEqual(fleet.troubles(), []);
    areTold(fleet, assault, sequences);
    leavesPrototypesAlone();
    await fleet.clear(slotKey(REGION, SERVICE, SPARE_SLOT));
    await fleet.settle();
  }),
  weight: 40,
};

const strange: Door = {
  name: 'fleet: what parses',
  property: fc.asyncProperty(
    assaults(
      ENTRANCES.filter(({ guarded }) => guarded !== true),
      true,
    ),
    fc.string(),
    async (assault, seed) => {
      const fleet = await FuzzedFleet.halfWay(shapes, seed);
      await send(fleet, assault);
      await fleet.pass(120_000);
      expectEqual(fleet.troubles(), []);
      // Whoever is asked still answers.
      const asked = fleet.server.say(controlSubject('db'), encode({ action: 'pause' }));
      await fleet.until('an answer', () =>
        fleet.events().some(({ id }) => id.includes(`control-rejected.${asked}-`)),
      );
      leavesPrototypesAlone();
    },
  ),
  weight: 40,
};

export const FLEET_DOORS: readonly Door[] = [refused, strange];
