/** Which policies have been in force when, by what people wrote: one that makes no sense changes nothing. */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { layeredPolicy, type Policy, policyProblems } from '@swell/shared/domain/policy.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';

interface Standing {
  readonly policy: Policy;
  readonly fromMs: number;
}

export class Policies {
  readonly #standing: Standing[] = [{ policy: layeredPolicy(), fromMs: Number.NEGATIVE_INFINITY }];

  written(message: StoredMessage, nowMs: number): void {
    const layer = message.deleted ? { ok: true as const, value: {} } : decode(message.body, policySchema);
    if (!layer.ok) return;
    const policy = layeredPolicy(layer.value);
    if (policyProblems(policy).length === 0) this.#standing.push({ policy, fromMs: nowMs });
  }

  /** All that have been in force at some time since then. */
  since(ms: number): readonly Policy[] {
    const first = this.#standing.findLastIndex(({ fromMs }) => fromMs <= ms);
    return this.#standing.slice(Math.max(0, first)).map(({ policy }) => policy);
  }

  /** Those that may be obeyed now: the newest one that there was time to hear of, and all after it. */
  obeyed(hadTimeToObey: (fromMs: number) => boolean): readonly Policy[] {
    const first = this.#standing.findLastIndex(({ fromMs }) => hadTimeToObey(fromMs));
    return this.#standing.slice(Math.max(0, first)).map(({ policy }) => policy);
  }
}
