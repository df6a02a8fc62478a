import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { type ServiceState, withRecord } from './state.ts';

/** What a transition says; the service, and an id that is the same when it is said again, are added here. */
export type Saying = Omit<FleetEvent, 'id' | 'service'> & {
  /** Tells it from others of its name in the same rollout. */
  readonly mark?: string | number;
};

/** A sentence for people, also where it quotes what others wrote at length: the record has to stay small. */
const LINE_MAX = 500;

/** Puts an event into the record's outbox: it is saved with the change that it speaks of, and published after. */
export function tell(state: ServiceState, { mark, line, ...saying }: Saying): ServiceState {
  const id = [state.service, saying.rollout ?? 0, saying.name, ...(mark === undefined ? [] : [mark])].join(
    '.',
  );
  if (state.record.outbox.some((event) => event.id === id)) return state;
  const short = line.length > LINE_MAX ? `${line.slice(0, LINE_MAX - 1)}…` : line;
  const event: FleetEvent = { id, service: state.service, ...saying, line: short };
  return withRecord(state, { outbox: [...state.record.outbox, event] });
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
