/** Questions to the leading coordinator, as `nats req swell.ask.…` puts them. */

import { BusError } from '@swell/shared/adapters/bus.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { Question, ServiceName } from '@swell/shared/domain/names.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { ANSWER_BYTES_MAX, answerSchema } from '@swell/shared/protocol/questions.ts';
import { questionSubject } from '@swell/shared/protocol/subjects.ts';

export interface LeaderAnswer {
  /** One sentence. */
  readonly line: string;
  /** Of a replay. */
  readonly assumed?: readonly string[] | undefined;
  readonly [field: string]: unknown;
}

/** Throws an error with the coordinator's reason where it does not answer. */
export async function askLeader(
  bus: NatsBus,
  question: Question,
  service: ServiceName,
  {
    scope,
    body,
    timeoutMs,
  }: { readonly scope?: Scope; readonly body?: object; readonly timeoutMs?: number } = {},
): Promise<LeaderAnswer> {
  const asking = {
    ...(body !== undefined && { question: encode(body) }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  const answer = await bus.ask(questionSubject(question, service, scope), asking).catch((error: unknown) => {
    if (!(error instanceof BusError) || error.code !== 'unavailable') throw error;
    throw new Error(`no coordinator answers: does one lead? swell doctor tells (${error.message})`, {
      cause: error,
    });
  });
  const read = answer.ok ? decode(answer.value, answerSchema, ANSWER_BYTES_MAX) : answer;
  if (!read.ok) throw new Error(read.problems.join('; '));
  return read.value;
}
