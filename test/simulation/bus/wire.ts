/** How a publication goes over the wire. */

import type { Publication } from '@swell/shared/adapters/bus.ts';
import type { Statement } from './stream.ts';

/** What a server takes at most. */
export const PAYLOAD_MAX = 1_048_576;

/** Streams compare ids and nothing else, so an id belongs to its subject. */
export const wireId = ({ subject, id }: { readonly subject: string; readonly id: string }): string =>
  `${subject} ${id}`;

export function statementOf({ subject, body, id, expectLast, deletes }: Publication): Statement {
  return {
    subject,
    body,
    deleted: deletes === true,
    ...(id !== undefined && { id: wireId({ subject, id }) }),
    ...(expectLast !== undefined && { expectLast }),
  };
}

/** Headers count too; a few bytes more or less decide nothing. */
export const sizeOnWire = ({ subject, body, line, id = '' }: Publication): number =>
  body.length + line.length + subject.length + id.length + 100;

/** The stream of a bucket's key. */
export function bucketStream(subject: string): string | undefined {
  const bucket = /^\$KV\.([^.]+)\./.exec(subject)?.[1];
  return bucket === undefined ? undefined : `KV_${bucket}`;
}

/** What sort of subject it is: `$KV.swell_slots`, `swell.health`. */
export const kindOf = (subject: string): string => subject.split('.', 2).join('.');
