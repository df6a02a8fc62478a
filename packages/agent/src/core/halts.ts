import type { Digest } from '@swell/shared/domain/image.ts';
import { type Halt, isHalted } from '@swell/shared/domain/wave.ts';
import type { ServiceState } from './state.ts';

/** The broadcast, which is for the whole fleet, and what the leader of this region says in its wave, where it has a scope. */
export function haltsOf({ halt, wave }: Pick<ServiceState, 'halt' | 'wave'>): readonly Halt[] {
  return [halt?.order, wave?.order.halt].filter((one) => one !== undefined);
}

export function isHaltedHere(
  state: Pick<ServiceState, 'halt' | 'wave'>,
  release: { readonly rollout: number; readonly image: { readonly digest: Digest } },
): boolean {
  return haltsOf(state).some((halt) => isHalted(halt, release));
}
