/** The lease on a slot, from the claim to its end; and slots that bear our name without our knowing why. */

import type { SlotHolder } from '@swell/shared/domain/slot.ts';
import { type Effect, timer } from './effects.ts';
import type { AgentEvent } from './events.ts';
import type { Step } from './outcome.ts';
import { type Attempt, type Lease, type Phase, type ServiceState, withPhase, work } from './state.ts';

export function holderOf(state: ServiceState, attempt: Attempt): SlotHolder {
  return { node: state.self.node, rollout: attempt.rollout, attempt: attempt.id, leaseMs: attempt.leaseMs };
}

/** Renewed every third of the lease, so that two renewals may go astray. */
export function renewTimer(attempt: Attempt): Effect {
  return timer('renew', attempt.leaseMs / 3);
}

export function renew(state: ServiceState): readonly Effect[] {
  const { phase } = state;
  const held = work(phase);
  if (held?.lease === undefined) return [];
  const { slot, revision } = held.lease;
  return [{ kind: 'renew-slot', slot, expect: revision, holder: holderOf(state, held.attempt) }];
}

export function freeSlot(
  state: ServiceState,
  attempt: Attempt,
  { slot, revision }: Pick<Lease, 'slot' | 'revision'>,
): Effect {
  return { kind: 'free-slot', slot, expect: revision, holder: holderOf(state, attempt) };
}

/** Keeps the lease of the attempt that is under way, and frees what is held for one that has ended. */
export function seeLease(state: ServiceState, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'slot-renewed':
      return renewed(state, event);
    case 'slot-not-renewed':
      return event.lost ? lost(state, event.slot) : retryRenewal(state);
    case 'slot-heard':
      return seeOwn(state, event.slot, nowMs);
    case 'slots-read':
      return [...event.entries.keys()].reduce<Step>(
        (seen, slot) => {
          const next = seeOwn(seen.state, slot, nowMs);
          return { state: next.state, effects: [...seen.effects, ...next.effects] };
        },
        { state, effects: [] },
      );
    default:
      return { state, effects: [] };
  }
}

function withLease(state: ServiceState, lease: Lease | undefined): ServiceState {
  const { phase } = state;
  if (work(phase) === undefined) return state;
  const { lease: _, ...rest } = phase as Extract<Phase, { lease?: Lease }>;
  return withPhase(state, (lease === undefined ? rest : { ...rest, lease }) as Phase);
}

function renewed(
  state: ServiceState,
  { slot, revision, sentAtMs, holder }: Extract<AgentEvent, { kind: 'slot-renewed' }>,
): Step {
  const held = work(state.phase);
  // What it was for has ended while the answer was on its way, and was freed by a revision that is no more.
  if (held?.attempt.id !== holder.attempt)
    return { state, effects: [{ kind: 'free-slot', slot, expect: revision, holder }] };
  if (held.lease?.slot !== slot) return { state, effects: [] };
  const lease = { slot, revision, untilMs: sentAtMs + held.attempt.leaseMs };
  return { state: withLease(state, lease), effects: [renewTimer(held.attempt)] };
}

function lost(state: ServiceState, slot: number): Step {
  const { phase } = state;
  // Before anything has begun, the claim itself is given up.
  const isOurs = phase.name !== 'checking' && work(phase)?.lease?.slot === slot;
  return { state: isOurs ? withLease(state, undefined) : state, effects: [] };
}

function retryRenewal(state: ServiceState): Step {
  const held = work(state.phase);
  if (held?.lease === undefined) return { state, effects: [] };
  return { state, effects: [timer('renew', held.attempt.leaseMs / 12, held.attempt.leaseMs / 6)] };
}

/**
 * What the slots show in our name: after a start, after a claim or a renewal whose answer was lost. The attempt under way
 * keeps one; whatever else bears our name is given back, lest it run out and count against this node.
 */
function seeOwn(state: ServiceState, slot: number, nowMs: number): Step {
  const { phase, self, recovered } = state;
  const { holder, revision = 0 } = state.slots.get(slot) ?? {};
  if (holder?.node !== self.node || !recovered || phase.name === 'claiming') return { state, effects: [] };
  const held = work(phase);
  const { lease } = held ?? {};
  if (held?.attempt.id !== holder.attempt || (lease !== undefined && lease.slot !== slot)) {
    return { state, effects: [{ kind: 'free-slot', slot, expect: revision, holder }] };
  }
  if (lease !== undefined) {
    // A renewal whose answer is still on its way.
    const newest = { ...lease, revision: Math.max(lease.revision, revision) };
    return { state: withLease(state, newest), effects: [] };
  }
  // How much of it is left is not known: it is renewed at once.
  const adopted = withLease(state, { slot, revision, untilMs: nowMs });
  return { state: adopted, effects: renew(adopted) };
}
