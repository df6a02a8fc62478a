import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { shortLine } from '@swell/shared/kernel/printable.ts';
import { type ServiceState, withRecord } from './state.ts';

/** What a transition says; the service, and an id that is the same when it is said again, are added here. */
export type Saying = Omit<FleetEvent, 'id' | 'service'> & {
  /** What it answers or speaks of, by its sequence: whoever asked finds the answer by it. Else events are counted. */
  readonly mark?: string | number;
};

/** A sentence for people, also where it quotes what others wrote at length: the record has to stay small. */
const LINE_MAX = 500;

/**
 * Puts an event into the record's outbox: it is saved with the change that it speaks of, and published after. No two
 * events share an id, for the log takes the second one for a repetition of the first.
 */
export function tell(state: ServiceState, { mark, line, ...saying }: Saying): ServiceState {
  const { outbox, eventsTold } = state.record;
  const id = [state.service, saying.rollout ?? 0, saying.name, mark ?? eventsTold + 1].join('.');
  const event: FleetEvent = { id, service: state.service, ...saying, line: shortLine(line, LINE_MAX) };
  return withRecord(state, { outbox: [...outbox, event], eventsTold: eventsTold + 1 });
}

/** The log has it: it is told no more. */
export function told(state: ServiceState, id: string): ServiceState {
  const { outbox } = state.record;
  const rest = outbox.filter((event) => event.id !== id);
  if (rest.length === outbox.length) return state;
  const telling = new Set(state.telling);
  telling.delete(id);
  return withRecord({ ...state, telling }, { outbox: rest });
}
