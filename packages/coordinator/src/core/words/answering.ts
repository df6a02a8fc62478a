/** Each word of the operator has one answer: what it did, or why not. */

import type { ServiceState } from '../state.ts';
import { tell } from '../tell.ts';

/** The word that is answered, and where it stands in its stream. */
export interface Asked {
  readonly action: string;
  readonly mark: string;
}

export function applied(state: ServiceState, { action, mark }: Asked, what = 'done'): ServiceState {
  return tell(state, { name: 'control-applied', mark, line: `${action} of ${state.service}: ${what}` });
}

export function refused(
  state: ServiceState,
  { action, mark }: Asked,
  problems: readonly string[],
): ServiceState {
  const line = `${action} of ${state.service} is refused: ${problems.join('; ')}`;
  return tell(state, { name: 'control-rejected', mark, problems, line });
}
