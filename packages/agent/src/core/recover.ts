/**
 * The first look at the engine after a start. Whatever step an agent died at, the marks on the containers and the
 * journal together tell how to go on, to exactly one container (I9) and exactly one result (I8).
 */

import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import { finish } from './attempt.ts';
import { consider } from './consider.ts';
import type { Observation } from './container.ts';
import { revert, settle } from './ending.ts';
import type { AgentEvent } from './events.ts';
import { isLeftover } from './leftover.ts';
import type { Step } from './outcome.ts';
import { beginProbing, goOn } from './probing.ts';
import { type Attempt, type Ending, type ServiceState, withJournal } from './state.ts';
import { readId } from './tried.ts';

const RESTARTED: Ending = { result: 'interrupted', reason: 'the agent was restarted in the middle of it' };

export function recover(
  unrecovered: ServiceState,
  observation: Observation,
  event: AgentEvent,
  nowMs: number,
): Step {
  const { state, effects } = takeUp({ ...unrecovered, recovered: true }, observation, event, nowMs);
  // What was read of the slots before this look could not be told: whether the one in our name is still needed.
  return { state, effects: state.connected ? [...effects, { kind: 'read-slots' }] : effects };
}

function takeUp(state: ServiceState, observation: Observation, event: AgentEvent, nowMs: number): Step {
  const marked = isLeftover(state, observation) ? undefined : attemptOfMarks(observation);
  const attempt = state.journal.attempt ?? marked;
  if (attempt === undefined) return consider(state, event, nowMs);
  const known = withJournal({ ...state, era: state.era + 1 }, { attempt });
  if (observation.swap !== undefined && observation.swap.attempt !== attempt.id) {
    // Somebody put an older journal here. What it tells of has ended; what the marks tell of is taken up next.
    const over = finish(known, attempt, undefined, attempt.ending ?? RESTARTED, nowMs);
    return { ...over, state: { ...over.state, recovered: false } };
  }
  if (attempt.irreversible === true && isOver(attempt, observation))
    return takeUpOneWay(known, attempt, observation, nowMs);
  switch (observation.swap?.progress) {
    case 'prepared':
      return revert(known, { name: 'preparing', attempt }, attempt.ending ?? RESTARTED);
    case 'cut-over':
      return attempt.ending === undefined
        ? beginProbing(known, { attempt, left: observation.swap.left }, nowMs)
        : revert(known, { attempt }, attempt.ending);
    case 'committed':
      return settle(known, { attempt }, done(attempt));
    case undefined:
      return finish(known, attempt, undefined, endingWithoutMarks(attempt, observation), nowMs);
  }
}

/** Does what cannot be undone run, however much of the marks somebody has taken away? */
function isOver({ digest, ending }: Attempt, { swap, digests, state }: Observation): boolean {
  if (swap !== undefined) return swap.progress !== 'prepared';
  return ending === undefined && state !== 'absent' && digest !== undefined && digests.includes(digest);
}

/** There is no way back, and only its health tells how it ends; one that was given up for a newer release stays given up. */
function takeUpOneWay(state: ServiceState, attempt: Attempt, { swap }: Observation, nowMs: number): Step {
  if (attempt.ending?.stays === true) return settle(state, { attempt }, attempt.ending);
  return swap?.progress === 'cut-over' ? goOn(state, { attempt }) : beginProbing(state, { attempt }, nowMs);
}

function done(attempt: Attempt): Ending {
  return { result: attempt.kind === 'update' ? 'healthy' : 'returned', reason: '' };
}

/** No marks: it had not begun, or all of it was over but for its report. What runs tells which. */
function endingWithoutMarks(attempt: Attempt, { digests, state }: Observation): Ending {
  if (attempt.ending !== undefined || state === 'absent') return attempt.ending ?? RESTARTED;
  const isOnIt = attempt.digest !== undefined && digests.includes(attempt.digest);
  const hasSucceeded = attempt.kind === 'update' ? isOnIt : !isOnIt;
  return hasSucceeded ? done(attempt) : RESTARTED;
}

/** The journal is gone, but a container bears the attempt's name. */
function attemptOfMarks({ swap, digests }: Observation): Attempt | undefined {
  if (swap === undefined) return undefined;
  const { rollout, kind } = readId(swap.attempt) ?? { rollout: 0, kind: 'update' };
  // Of a return: what it leaves. Once that has stopped, nobody can tell any more.
  const left = swap.progress === 'prepared' ? digests[0] : undefined;
  const digest = kind === 'update' ? swap.target : left;
  return {
    id: swap.attempt,
    kind,
    rollout,
    ...(digest !== undefined && { digest }),
    ...(swap.irreversible === true && { irreversible: true }),
    health: DEFAULT_POLICY.health,
    leaseMs: DEFAULT_POLICY.slotLeaseMs,
    drain: DEFAULT_POLICY.drain,
    rejoin: DEFAULT_POLICY.rejoin,
  };
}
