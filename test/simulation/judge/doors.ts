/** I13. What does not parse is reported with its reason: every such message, at whichever door it came in. */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { controlSchema } from '@swell/shared/protocol/control.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import { presenceSchema, reportSchema } from '@swell/shared/protocol/reports.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { z } from 'zod';
import type { Bench } from './bench.ts';

/** A value that another one takes the place of sooner than this may never have been read. */
const READ_WITHIN_MS = 600_000;

/** How a message that does not parse is answered: the event's name, and what of it names the message. */
interface Door {
  readonly schema: z.ZodType;
  readonly answer: FleetEvent['name'];
  readonly names: (event: FleetEvent) => string;
  readonly key: (message: StoredMessage) => string;
  /** Only a subject's last message is read for certain. */
  readonly readsLast?: true;
}

const bySequence = ({ sequence }: StoredMessage): string => String(sequence);
const bySubject = ({ subject, sequence }: StoredMessage): string => `${subject}.${sequence}`;
/** An answer's id ends with the sequence and the hour of what it answers. */
const sequenceOfId = ({ id }: FleetEvent): string =>
  String(Number.parseInt(id.slice(id.lastIndexOf('.') + 1), 10));

const DOORS: Readonly<Record<string, Door>> = {
  [STREAMS.releases]: {
    schema: releaseSchema,
    answer: 'release-rejected',
    // Where the number was used before, the rollout that has it is not what is spoken of.
    names: (event) => String(event.rollout ?? sequenceOfId(event)),
    key: bySequence,
  },
  [STREAMS.controls]: {
    schema: controlSchema,
    answer: 'control-rejected',
    names: sequenceOfId,
    key: bySequence,
  },
  [STREAMS.policies]: {
    schema: policySchema,
    answer: 'policy-rejected',
    names: ({ revision }) => String(revision),
    key: bySequence,
    readsLast: true,
  },
  [STREAMS.health]: {
    schema: reportSchema,
    answer: 'message-rejected',
    names: ({ id }) => id,
    key: bySubject,
    readsLast: true,
  },
  [STREAMS.nodes]: {
    schema: presenceSchema,
    answer: 'message-rejected',
    names: ({ id }) => id,
    key: bySubject,
    readsLast: true,
  },
};

interface Bad {
  readonly stream: string;
  readonly subject: string;
  readonly atMs: number;
}

export class Doors {
  readonly #bench: Bench;
  /** What has not been reported yet, by the event that would. */
  readonly #unreported = new Map<string, Bad>();
  readonly #newest = new Map<string, string>();
  /** Of each stream the highest sequence and the latest hour that there have been. */
  readonly #taken = new Map<string, Place>();

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** @param byHand somebody put it there, and not a program of ours */
  stored(stream: string, message: StoredMessage, byHand: boolean): void {
    const door = DOORS[stream];
    if (door === undefined) return;
    if (this.#newest.size > 0) this.#replace(message.subject);
    const taken = this.#taken.get(stream) ?? { sequence: 0, storedAtMs: 0 };
    const isNew = message.sequence > taken.sequence || message.storedAtMs > taken.storedAtMs;
    this.#taken.set(stream, {
      sequence: Math.max(taken.sequence, message.sequence),
      storedAtMs: Math.max(taken.storedAtMs, message.storedAtMs),
    });
    // Under a clock that was set back, one that has a number of before is taken for what was read long ago.
    if (!byHand || message.deleted || !isNew) return;
    if (decode(message.body, door.schema).ok) return;
    const key = `${door.answer} ${door.key(message)}`;
    this.#unreported.set(key, { stream, subject: message.subject, atMs: this.#bench.nowMs });
    if (door.readsLast === true) this.#newest.set(message.subject, key);
  }

  told(event: FleetEvent): void {
    for (const { answer, names } of Object.values(DOORS)) {
      if (answer !== event.name || !this.#unreported.delete(`${answer} ${names(event)}`)) continue;
      this.#bench.judged('I13');
      if (event.problems === undefined || event.problems.length === 0)
        this.#bench.break('I13', `${event.name} ${event.id} does not say why`);
    }
  }

  /** What a stream forgot need not be reported. */
  setBack(stream: string): void {
    for (const [key, bad] of this.#unreported) if (bad.stream === stream) this.#unreported.delete(key);
  }

  atRest(): void {
    for (const [key, { subject, atMs }] of this.#unreported) {
      this.#bench.judged('I13');
      this.#bench.break(
        'I13',
        `a message on ${subject} that does not parse was never reported (${key})`,
        {},
        atMs,
      );
    }
  }

  #replace(subject: string): void {
    const key = this.#newest.get(subject);
    const bad = key === undefined ? undefined : this.#unreported.get(key);
    if (key !== undefined && bad !== undefined && this.#bench.nowMs - bad.atMs < READ_WITHIN_MS)
      this.#unreported.delete(key);
    this.#newest.delete(subject);
  }
}
