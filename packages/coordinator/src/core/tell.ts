import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { type ServiceState, withRecord } from './state.ts';

/** What a transition says; the service, and an id that is the same when it is said again, are added here. */
export type Saying = Omit<FleetEvent, 'id' | 'service'> & {
  /** Tells it from others of its name in the same rollout. */
  readonly mark?: string | number;
};

/** Puts an event into the record's outbox: it is saved with the change that it speaks of, and published after. */
export function tell(state: ServiceState, { mark, ...saying }: Saying): ServiceState {
  const id = [state.service, saying.rollout ?? 0, saying.name, ...(mark === undefined ? [] : [mark])].join(
    '.',
  );
  if (state.record.outbox.some((event) => event.id === id)) return state;
  const event: FleetEvent = { id, service: state.service, ...saying };
  return withRecord(state, { outbox: [...state.record.outbox, event] });
}
