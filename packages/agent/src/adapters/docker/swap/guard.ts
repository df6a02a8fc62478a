import type { ServiceName } from '@swell/shared/domain/names.ts';
import { EngineError } from '../../engine.ts';
import type { OnServiceStep } from '../docker-engine.ts';

/** What is looked at just before something is done, however long ago it was decided. */
export interface Guarding {
  /** Throws where another agent acts on the node by now. */
  assertHeld(): Promise<void>;
  /** May the service's old container stop now? */
  mayStop(service: ServiceName): boolean;
}

export function guard(guarding: Guarding): OnServiceStep {
  return async (step, moment, service) => {
    await guarding.assertHeld();
    if (step === 'stop-old' && moment === 'before' && !guarding.mayStop(service))
      throw new EngineError('unavailable', 'its slot ran out before the old container was stopped');
  };
}
