import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { readStored } from '@swell/shared/adapters/reading.ts';
import { describeImage, type ImageReference } from '@swell/shared/domain/image.ts';
import { type ReleaseReference, tagOf } from '@swell/shared/domain/unit.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { eventSchema, readServiceRecord } from '@swell/shared/protocol/records.ts';
import { eventSubject, releaseSubject, rolloutKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { drawHistory, historyOf, type PublishedRelease } from '../../core/history.ts';
import { row } from '../../core/rows.ts';
import type { ToldEvent } from '../../core/sightings.ts';
import { EXIT } from '../../core/status.ts';
import { atMost, type Command, serviceOf } from '../command.ts';
import { SCOPE_OPTION, scopeOf } from '../scopes.ts';

export const history: Command = {
  name: 'history',
  usage: '<service> [--scope <scope>]',
  about: 'Shows every release of a service, newest first, and what became of it',
  options: SCOPE_OPTION,
  async run({ args, values, connect, print }) {
    const service = serviceOf(atMost(1, args)[0]);
    const { scope } = scopeOf(values);
    const bus = await connect();
    const published: PublishedRelease[] = [];
    for await (const message of readStored(bus, STREAMS.releases, releaseSubject(service)))
      published.push(publishedFrom(message));
    const events: ToldEvent[] = [];
    for await (const { body, storedAtMs } of readStored(bus, STREAMS.log, eventSubject(service, '*'))) {
      const event = decode(body, eventSchema);
      if (event.ok && event.value.scope === scope) events.push({ event: event.value, atMs: storedAtMs });
    }
    const stored = await bus.readLast(STREAMS.rollouts, rolloutKey(service, scope));
    const record =
      stored === undefined || stored.deleted ? undefined : readServiceRecord(stored.body, service);
    if (record?.ok === false) throw new Error(`the record of ${service}: ${record.problems.join('; ')}`);
    const { past = [], releasesTaken } = record?.value ?? {};
    const releases = historyOf(published, events, past, releasesTaken?.sequence ?? 0);
    const nothing = row(`nothing of ${service} was released yet: swell release ${service} <image>`);
    print({ service, releases }, releases.length === 0 ? [nothing] : drawHistory(releases));
    return EXIT.done;
  },
};

function publishedFrom({ sequence, storedAtMs, body }: StoredMessage): PublishedRelease {
  const release = decode(body, releaseSchema);
  if (!release.ok) return { rollout: sequence, atMs: storedAtMs };
  const { image, version } = release.value;
  const called = version ?? tagOf(image);
  return {
    rollout: sequence,
    atMs: storedAtMs,
    image: describeReference(image),
    ...(called !== undefined && { version: called }),
  };
}

function describeReference(image: ReleaseReference): string {
  if (!('parts' in image)) return imageName(image);
  const parts = Object.entries(image.parts).map(([part, one]) => `${part} ${imageName(one)}`);
  return parts.sort().join(', ');
}

function imageName({ repository, tag, digest }: ImageReference): string {
  if (digest !== undefined) return describeImage({ repository, digest, ...(tag !== undefined && { tag }) });
  return tag === undefined ? repository : `${repository}:${tag}`;
}
