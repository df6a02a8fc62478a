/** Reports: put into the journal with the change that they speak of, sent one after the other, kept until stored. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import type { Step } from './outcome.ts';
import { runningOf } from './running.ts';
import { type ServiceState, withJournal } from './state.ts';

const OUTBOX_MAX = 200;
/** Engines can be talkative, and a report that is too long is read by nobody. */
const REASON_MAX = 1_000;

export interface Saying {
  readonly rollout: number;
  readonly status: NodeStatus;
  readonly attempt?: string;
  readonly warrant?: NodeReport['warrant'];
  readonly retry?: number;
  readonly running?: Digest;
  readonly reason?: string;
}

/** Says something, unless it is what was said last. */
export function say(state: ServiceState, saying: Saying): ServiceState {
  const { said, outbox, reports, mark } = state.journal;
  const { rollout, status, attempt } = saying;
  const reason = saying.reason?.slice(0, REASON_MAX);
  const again = said?.rollout === rollout && said.status === status && said.reason === reason;
  if (again && attempt === undefined) return state;
  const { region, node, service } = state.self;
  const running = saying.running ?? runningOf(state);
  const report: NodeReport = {
    id: `${attempt ?? `${rollout}.${mark}${reports}`}.${status}`,
    region,
    node,
    service,
    rollout,
    status,
    ...(attempt !== undefined && { attempt }),
    ...(saying.warrant !== undefined && { warrant: saying.warrant }),
    ...(saying.retry !== undefined && { retry: saying.retry }),
    ...(running !== undefined && { running }),
    ...(reason !== undefined && { reason }),
  };
  // Where the bus is away for very long, what lay on the way is dropped before any result is (I8).
  const kept = outbox.length < OUTBOX_MAX ? outbox : outbox.filter((one) => one.attempt !== undefined);
  return withJournal(state, {
    said: { rollout, status, ...(reason !== undefined && { reason }) },
    outbox: [...kept, report],
    reports: reports + 1,
  });
}

/** Sends the oldest report, if none is on its way. */
export function sendNext(state: ServiceState): Step {
  const [oldest] = state.journal.outbox;
  if (oldest === undefined || state.sending !== undefined || !state.connected) return { state, effects: [] };
  return { state: { ...state, sending: oldest.id }, effects: [{ kind: 'send-report', report: oldest }] };
}

export function reportStored(state: ServiceState, id: string): ServiceState {
  const { sending: _, ...rest } = state;
  return withJournal(rest, { outbox: state.journal.outbox.filter((report) => report.id !== id) });
}
