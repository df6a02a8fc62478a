/**
 * May a release begin? Not before its hour, not before it has been public for as long as the policy asks, and not once it
 * has expired. Its digest is known by then: what begins is what was published, whatever its tag says meanwhile.
 */

import type { Candidate, ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { policyUnder } from '../state.ts';

export interface Wait {
  readonly untilMs: number;
  readonly why: string;
}

type Publication = Omit<Candidate, 'rollout'>;

/** Until when a release waits, and for what; `undefined`: for nothing. */
export function waitOf(record: ServiceRecord, release: Publication): Wait | undefined {
  const { coolDownMs } = policyUnder(record, release.overrides);
  const { publishedAtMs, urgent = false, notBeforeMs } = release;
  const waits: Wait[] = [];
  if (!urgent && coolDownMs > 0)
    waits.push({
      untilMs: publishedAtMs + coolDownMs,
      why: `its cool-down of ${formatDuration(coolDownMs)}`,
    });
  if (notBeforeMs !== undefined) waits.push({ untilMs: notBeforeMs, why: 'its notBefore' });
  return waits.sort((a, b) => b.untilMs - a.untilMs)[0];
}

export function hasExpired({ expiresMs }: { readonly expiresMs?: number }, nowMs: number): boolean {
  return expiresMs !== undefined && nowMs >= expiresMs;
}

/** A release that could never begin is refused at once. */
export function expiryProblems(record: ServiceRecord, release: Publication): readonly string[] {
  const { expiresMs, publishedAtMs } = release;
  if (expiresMs === undefined) return [];
  if (expiresMs <= publishedAtMs) return ['expires: is over already: name a later time, or leave it out'];
  const wait = waitOf(record, release);
  if (wait === undefined || wait.untilMs < expiresMs) return [];
  const remedy = `name a later time${wait.untilMs === release.notBeforeMs ? '' : ', or say "urgent": true'}`;
  return [`expires: comes before the end of ${wait.why} (${timeOf(wait.untilMs)}): ${remedy}`];
}

export function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
