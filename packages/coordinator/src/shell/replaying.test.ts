/** B16. What the log holds of a rollout, read and lived again. */

import type { Bus, Follower, FollowOptions, StoredMessage } from '@swell/shared/adapters/bus.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import {
  eventSubject,
  healthSubject,
  recordLogged,
  releaseSubject,
  STREAMS,
} from '@swell/shared/protocol/subjects.ts';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../test/support/rollout-story.ts';
import { answerReplay } from './replaying.ts';
import { Territory } from './territory.ts';

/** Streams that were filled before, and are only read. */
class PaperBus {
  readonly #streams = new Map<string, StoredMessage[]>();

  store(stream: string, subject: string, value: unknown, sequence?: number, storedAtMs = 0): void {
    const messages = this.#streams.get(stream) ?? [];
    this.#streams.set(stream, messages);
    const place = sequence ?? (messages.at(-1)?.sequence ?? 0) + 1;
    messages.push({ subject, sequence: place, storedAtMs, deleted: false, body: encode(value) });
  }

  get bus(): Bus {
    const reading: Pick<Bus, 'readLast' | 'follow'> = {
      readLast: (stream, subject) => Promise.resolve(this.#matching(stream, [subject]).at(-1)),
      follow: ({ stream, subjects, from }: FollowOptions): Follower => {
        const messages = this.#matching(stream, subjects).filter(({ sequence }) => sequence >= Number(from));
        return {
          close: () => {},
          async *[Symbol.asyncIterator]() {
            yield* messages;
          },
        };
      },
    };
    return reading as Bus;
  }

  #matching(stream: string, subjects: readonly string[]): readonly StoredMessage[] {
    const patterns = subjects.map(
      (one) => new RegExp(`^${one.replaceAll('.', '\\.').replaceAll('*', '[^.]+')}$`),
    );
    return (this.#streams.get(stream) ?? []).filter(({ subject }) =>
      patterns.some((one) => one.test(subject)),
    );
  }
}

const IMAGE = 'registry.example/web:v1';
const OWN = {
  ...QUICK,
  stagesPercent: [50, 100],
  failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 },
} as const;

/** A rollout that halted at the first failure, and its log. */
function halted() {
  const story = new RolloutStory({ policy: OWN });
  const paper = new PaperBus();
  paper.store(STREAMS.log, recordLogged('web'), story.state.record);
  const publishedAtMs = story.nowMs;
  const rollout = story.publish('v1');
  paper.store(STREAMS.releases, releaseSubject('web'), { image: IMAGE }, rollout, publishedAtMs);
  story.behave('fails', story.line('eu')[0]?.node ?? '');
  story.act(() => story.phase !== 'staging' && story.phase !== 'rolling');
  for (const { report } of story.reports.values())
    paper.store(
      STREAMS.log,
      healthSubject(report.region, 'web', report.node),
      report,
      undefined,
      story.nowMs,
    );
  for (const record of story.saved) paper.store(STREAMS.log, recordLogged('web'), record);
  for (const event of story.events)
    paper.store(STREAMS.log, eventSubject('web', event.name), event, undefined, story.nowMs);
  const ask = (number: number, wire: object, { bus } = paper) => {
    const policy = policySchema.parse(wire);
    const { signal } = new AbortController();
    const options = { bus, host: systemHost, territory: new Territory(undefined), signal };
    return answerReplay(options, story.state, { rollout: number, policy });
  };
  return { paper, story, rollout, ask };
}

const WIRE = { approval: 'automatic', soak: '0s', stages: [50, 100], maxUnavailable: 2 };

test('B16: a halted rollout settles by a laxer policy, and halts again by a strict one', async () => {
  const { rollout, ask } = halted();
  const lax = await ask(rollout, { ...WIRE, failureBudget: { max: 3 } });
  expect(lax).toMatchObject({
    service: 'web',
    rollout,
    as: { outcome: 'halted', failed: 1 },
    would: { outcome: 'settled', updated: 9, failed: 1 },
    nodes: { all: 10 },
  });
  expect(await ask(rollout, { ...WIRE, failureBudget: { max: 0 } })).toMatchObject({
    would: { outcome: 'halted', failed: 1 },
  });
  expect(await ask(rollout, { ...WIRE, failureBudget: { max: 3 } })).toEqual(lax);
});

test('B16: what there is nothing of is refused, with the reason', async () => {
  const { paper, rollout, ask } = halted();
  await expect(ask(rollout + 1, WIRE)).rejects.toMatchObject({
    code: 404,
    description: expect.stringMatching(/is no release of web/),
  });
  paper.store(STREAMS.releases, releaseSubject('web'), { image: 1 }, rollout + 1);
  await expect(ask(rollout + 1, WIRE)).rejects.toMatchObject({ code: 409 });
  paper.store(STREAMS.releases, releaseSubject('web'), { image: IMAGE }, rollout + 2);
  await expect(ask(rollout + 2, WIRE)).rejects.toMatchObject({
    code: 404,
    description: `rollout: release ${rollout + 2} has not begun`,
  });
  const event = {
    id: 'x',
    name: 'release-rejected',
    service: 'web',
    rollout: rollout + 2,
    line: 'it is bad',
  };
  paper.store(STREAMS.log, eventSubject('web', 'release-rejected'), { ...event, problems: ['image: none'] });
  await expect(ask(rollout + 2, WIRE)).rejects.toMatchObject({
    code: 404,
    description: `rollout: release ${rollout + 2} never began: image: none`,
  });
  // One that was taken, and of which the log holds nothing any more.
  const forgetful = new PaperBus();
  forgetful.store(STREAMS.releases, releaseSubject('web'), { image: IMAGE }, rollout);
  await expect(ask(rollout, WIRE, forgetful)).rejects.toMatchObject({
    description: expect.stringMatching(/the log does not tell what the image of release \d+ was/),
  });
});
