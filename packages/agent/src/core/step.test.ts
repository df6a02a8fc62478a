/**
 * The core in a world that does its worst: every order of answers, messages, deaths and hands, held against the rules at
 * every step; and once the faults are over, everything comes to its end.
 */

import type { WavePhase } from '@swell/shared/domain/wave.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { newHalt, V2, V3 } from '../../../../test/support/agent-story.ts';
import { AgentWorld, type Outcome } from '../../../../test/support/agent-world.ts';
import type { Phase } from './state.ts';

const RELEASES = [
  { rollout: 7, digest: V2 },
  { rollout: 8, digest: V3 },
] as const;

const PHASES = [
  'staging',
  'staged',
  'queued',
  'claiming',
  'checking',
  'preparing',
  'swapping',
  'probing',
  'settling',
  'reverting',
] as const satisfies readonly Phase['name'][];

type Happening =
  | { readonly is: 'perform'; readonly which: number; readonly outcome: Outcome }
  | { readonly is: 'deliver'; readonly which: number }
  | { readonly is: 'pass'; readonly ms: number }
  | {
      readonly is: 'wave';
      readonly release: 0 | 1;
      readonly phase: WavePhase;
      readonly cursor: number;
      readonly slots: number;
    }
  | { readonly is: 'halt'; readonly release: 0 | 1 }
  | { readonly is: 'pulse'; readonly term: number }
  | { readonly is: 'connect'; readonly isConnected: boolean }
  | { readonly is: 'other'; readonly slot: number; readonly holds: boolean }
  | { readonly is: 'sick'; readonly release: 0 | 1; readonly isSick: boolean }
  | { readonly is: 'obstacle'; readonly stands: boolean }
  | { readonly is: 'until'; readonly phase: Phase['name'] }
  | { readonly is: 'next' | 'tick' | 'prune' | 'stop' | 'death' | 'clear' };

const which = fc.nat(20);
const release = fc.constantFrom<0 | 1>(0, 1);
const outcome = fc.constantFrom<Outcome>('done', 'done', 'done', 'done', 'unheard', 'failed', 'refused');
const phase = fc.constantFrom<WavePhase>(
  'open',
  'open',
  'open',
  'settled',
  'staging',
  'paused',
  'halted',
  'aborted',
);

function is<Name extends Happening['is']>(name: Name) {
  return fc.constant(name);
}

function often(weight: number, arbitrary: fc.Arbitrary<Happening>) {
  return { weight, arbitrary };
}

/** Mostly things go on, so that a story comes far enough for what goes wrong to matter. */
const happening: fc.Arbitrary<Happening> = fc.oneof(
  often(100, fc.record({ is: is('next') })),
  often(20, fc.record({ is: is('tick') })),
  often(24, fc.record({ is: is('until'), phase: fc.constantFrom(...PHASES) })),
  often(20, fc.record({ is: is('perform'), which, outcome })),
  often(20, fc.record({ is: is('deliver'), which })),
  often(4, fc.record({ is: is('pass'), ms: fc.constantFrom(20, 1_000, 5_000, 15_000, 45_000, 130_000) })),
  often(6, fc.record({ is: is('pulse'), term: fc.constantFrom(4, 4, 4, 3, 5) })),
  often(
    3,
    fc.record({
      is: is('wave'),
      release,
      phase,
      cursor: fc.constantFrom(1, 1, 0),
      slots: fc.constantFrom(1, 2),
    }),
  ),
  often(1, fc.record({ is: is('halt'), release })),
  often(4, fc.record({ is: is('connect'), isConnected: fc.constantFrom(true, true, false) })),
  often(2, fc.record({ is: is('other'), slot: fc.nat(1), holds: fc.constantFrom(true, false, false) })),
  often(3, fc.record({ is: is('sick'), release, isSick: fc.constantFrom(true, false, false) })),
  often(2, fc.record({ is: is('obstacle'), stands: fc.constantFrom(true, false, false) })),
  often(2, fc.record({ is: fc.constantFrom('prune' as const, 'clear' as const) })),
  often(1, fc.record({ is: is('stop') })),
  often(4, fc.record({ is: is('death') })),
);

function happen(world: AgentWorld, it: Happening): void {
  switch (it.is) {
    case 'perform':
      return world.perform(it.which, it.outcome);
    case 'deliver':
      return world.deliver(it.which);
    case 'until':
      for (let steps = 0; steps < 60 && world.state.phase.name !== it.phase; steps += 1) goOn(world);
      return;
    case 'next':
      return next(world);
    case 'tick':
      return tick(world);
    case 'pass':
      return world.pass(it.ms);
    case 'wave': {
      const { cursor, slots } = it;
      return world.publishWave({ ...RELEASES[it.release], phase: it.phase, cursor, stageBelow: 1, slots });
    }
    case 'halt': {
      const { rollout, digest } = RELEASES[it.release];
      return world.publishHalt(newHalt(rollout, digest));
    }
    case 'pulse':
      return world.pulse(it.term);
    case 'connect':
      return world.connect(it.isConnected);
    case 'other':
      return world.otherTakes(it.slot, it.holds);
    case 'sick': {
      const { digest } = RELEASES[it.release];
      return void (it.isSick ? world.sick.add(digest) : world.sick.delete(digest));
    }
    case 'obstacle':
      world.obstacle = it.stands ? 'is paused' : undefined;
      return world.tell({ kind: 'container-changed' });
    case 'prune':
      for (const digest of [V2, V3]) if (digest !== world.container.digest) world.images.delete(digest);
      return;
    case 'stop':
      return world.tell({ kind: 'stop-requested' });
    case 'death':
      return world.boot(world.state.journal);
    case 'clear':
      return world.clearLost();
  }
}

function next(world: AgentWorld): void {
  if (world.inbox.length > 0) world.deliver(0);
  else world.perform(0, 'done');
}

/** A pulse, and the time until the next timer is due. */
function tick(world: AgentWorld): void {
  world.pulse(4);
  const waits = [...world.timers.values()].map((dueMs) => dueMs - world.nowMs);
  world.pass(Math.max(1, Math.min(10_000, ...waits)));
}

function goOn(world: AgentWorld): void {
  if (world.inbox.length > 0 || world.tasks.length > 0) next(world);
  else tick(world);
}

/** Everything that is on its way comes to its end, at this moment. */
function settle(world: AgentWorld): void {
  const before = world.handled;
  while (world.tasks.length > 0 || world.inbox.length > 0) {
    if (world.tasks.length > 0) world.perform(0, 'done');
    while (world.inbox.length > 0) world.deliver(0);
    // What goes round without time passing would go round for ever.
    expect(world.handled - before).toBeLessThan(300);
  }
}

/** The faults are over: half an hour in which the bus, the engine and the coordinator do what they should. */
function recoverFrom(world: AgentWorld): void {
  world.connect(true);
  world.obstacle = undefined;
  if (world.state.stopping) world.boot(world.state.journal);
  for (const slot of [0, 1]) world.otherTakes(slot, false);
  const before = world.handled;
  for (let seconds = 0; seconds < 1_800; seconds += 1) {
    settle(world);
    world.pass(1_000);
    if (seconds % 10 === 0) world.pulse(6);
    if (seconds % 10 === 0) world.clearLost();
  }
  settle(world);
  expect(world.handled - before).toBeLessThan(1_500);
}

/** Where an agent ought to be once nothing changes any more. */
function expectEnd(world: AgentWorld): void {
  const { state, witness, swap, slots, timers } = world;
  expect({
    open: witness.open,
    attempt: state.journal.attempt,
    outbox: state.journal.outbox,
    swap,
    held: [...slots.values()].filter(({ holder }) => holder !== undefined),
    looks: timers.has('look'),
    frozen: state.frozen,
  }).toEqual({ outbox: [], held: [], looks: true, frozen: false });
  expect(['idle', 'staged']).toContain(state.phase.name);
  for (const { id } of witness.results.values()) expect(world.stored).toContain(id);
  expectImage(world);
}

function expectImage({ container, wave, halt, witness }: AgentWorld): void {
  const ended = (rollout: number, statuses: readonly string[]) =>
    [...witness.results.values()].some((one) => one.rollout === rollout && statuses.includes(one.status));
  const { digest, lastGood } = container;
  const isHalted = (one: { readonly rollout: number; readonly digest: string }) =>
    halt.order !== undefined && one.digest === halt.order.digest && one.rollout <= halt.order.rollout;
  if (digest === halt.order?.digest) {
    // I5. Who is still on what was halted could not go back, and said so.
    const isStuck = lastGood === undefined || lastGood === digest || ended(halt.order.rollout, ['kept']);
    expect({ isStuck, order: wave.order }).toMatchObject({ isStuck: wave.order !== undefined });
  }
  const order = wave.order;
  if (order === undefined || (order.phase !== 'open' && order.phase !== 'settled')) return;
  const { rollout, image } = order.release;
  const isAdmitted = order.phase === 'settled' || order.cursor > 0;
  const isOver = ended(rollout, ['failed', 'returned', 'interrupted']);
  if (isAdmitted && !isHalted({ rollout, digest: image.digest }) && !isOver)
    expect(digest).toBe(image.digest);
}

test('whatever happens, the rules hold at every step, and everything ends when the faults are over', () => {
  fc.assert(
    fc.property(fc.array(happening, { minLength: 10, maxLength: 200, size: 'max' }), (story) => {
      const world = new AgentWorld();
      world.connect(true);
      world.publishWave({ ...RELEASES[0] });
      world.pulse(4);
      for (const it of story) happen(world, it);
      recoverFrom(world);
      expectEnd(world);
    }),
    { numRuns: Number(process.env['SWELL_RUNS'] ?? 150) },
  );
}, 600_000);
