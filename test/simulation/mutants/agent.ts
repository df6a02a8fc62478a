/** Bugs in the agent: its core, its journal, its shell. */

import type { Mutant } from './mutant.ts';

const CORE = 'packages/agent/src/core';

export const AGENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'slot-freed-when-the-swap-begins',
    story:
      'More nodes of a region are down at once than the policy allows, since a slot is free while its node is out.',
    file: `${CORE}/claim.ts`,
    find: "effects: [{ kind: 'prepare-swap', order }],",
    replace: "effects: [{ kind: 'prepare-swap', order }, freeSlot(state, attempt, lease)],",
    breaks: ['I1'],
    world: 'quiet',
  },
  {
    name: 'slot-freed-before-the-undo',
    story: 'While a failed node still brings its old container back, the next one goes out already.',
    file: `${CORE}/ending.ts`,
    find: "effects: [{ kind: 'clear-timer', timer: 'probe' }, { kind: 'undo-swap' }],",
    replace: `effects: [
      { kind: 'clear-timer', timer: 'probe' },
      { kind: 'undo-swap' },
      ...(phase.lease === undefined
        ? []
        : [{ kind: 'free-slot', slot: phase.lease.slot, expect: phase.lease.revision,
             holder: { node: state.self.node, rollout: attempt.rollout, attempt: attempt.id, leaseMs: attempt.leaseMs } }]),
    ],`,
    breaks: ['I1'],
    world: 'quiet',
  },
  {
    name: 'slot-never-freed',
    story: 'Every slot stays taken until its lease runs out, and healthy nodes are charged as lost.',
    file: `${CORE}/attempt.ts`,
    find: 'if (lease !== undefined) effects.push(freeSlot(state, attempt, lease));',
    replace: '',
    breaks: ['I7'],
    world: 'quiet',
  },
  {
    name: 'renewal-forgets-the-revision',
    story:
      'The second renewal of a slot expects the wrong revision: slow updates lose their slots and are charged as failures.',
    file: `${CORE}/lease.ts`,
    find: 'const lease = { slot, revision, untilMs: sentAtMs + held.attempt.leaseMs };',
    replace:
      'const lease = { slot, revision: held.lease.revision, untilMs: sentAtMs + held.attempt.leaseMs };',
    breaks: ['I7'],
    world: 'absent',
  },
  {
    name: 'strange-slot-in-our-name-kept',
    story:
      'A slot whose claim was answered too late stays taken in the name of a node that does nothing, and counts against it.',
    file: `${CORE}/lease.ts`,
    find: "return { state, effects: [{ kind: 'free-slot', slot, expect: revision, holder }] };",
    replace: 'return { state, effects: [] };',
    breaks: ['I7'],
    world: 'lossy',
  },
  {
    name: 'lost-slot-does-not-stop-the-swap',
    story:
      'A machine that was stopped for longer than its lease takes its service down though its slot is long another one’s.',
    file: `${CORE}/swap.ts`,
    find: "if (lease === undefined || nowMs >= lease.untilMs) return 'its slot was lost before the swap';",
    replace: '',
    breaks: ['I1'],
    world: 'absent',
  },
  {
    name: 'wave-not-read-after-the-claim',
    story: 'A node that missed a message starts by an order that was replaced before it claimed its slot.',
    file: `${CORE}/claim.ts`,
    find: 'return { state: checking, effects: [readBehind(state, { slot, revision: fence }), renewTimer(attempt)] };',
    replace: `const begun = check(checking, checking.phase as Checking, checking.slots, sentAtMs);
  return { state: begun.state, effects: [...begun.effects, renewTimer(attempt)] };`,
    breaks: ['I2', 'I5'],
    world: 'lossy',
  },
  {
    name: 'pulse-age-ignored',
    story: 'With every coordinator dead nodes go on updating: nobody is there to halt a bad release.',
    file: `${CORE}/want.ts`,
    find: 'nowMs - pulse.atMs < PULSE_FRESH_MS &&',
    replace: '',
    breaks: ['I2'],
    world: 'leaderless',
  },
  {
    name: 'unadmitted-node-starts',
    story: 'A node that was only to download updates at once, and so the whole stage does.',
    file: `${CORE}/want.ts`,
    find: 'const admitted = admits(wave.order, rank);',
    replace:
      "const admitted = admits(wave.order, rank) || (wave.order.phase === 'open' && wantsStaged(wave.order, rank));",
    breaks: ['I2'],
    world: 'quiet',
  },
  {
    name: 'older-order-obeyed',
    story: 'An order that arrives late replaces the newer one, and a node follows what was taken back.',
    file: `${CORE}/hear.ts`,
    find: 'if (told.revision < highest.wave || told.revision === state.wave?.revision) return state;',
    replace: 'if (told.revision === state.wave?.revision) return state;',
    breaks: ['I6', 'I2'],
    world: 'lossy',
  },
  {
    name: 'rewound-orders-obeyed',
    story:
      'After the bus was restored from a backup nodes follow orders of yesterday instead of standing still, loudly.',
    file: `${CORE}/hear.ts`,
    find: 'if (wave.revision < asked.wave || halt.revision < asked.halt) return { ...state, frozen: true };',
    replace: `if (wave.revision < asked.wave || halt.revision < asked.halt) {
    const forgetful = withJournal(state, { highest: { wave: 0, halt: 0 } });
    return { ...hearHalt(hearWave(forgetful, wave), halt), frozen: false };
  }`,
    breaks: ['I6'],
    world: 'rewound',
  },
  {
    name: 'halt-never-read',
    story: 'A node that was off when a release was halted never hears of it, and stays on the bad image.',
    file: 'packages/agent/src/shell/performers.ts',
    find: "return { kind: 'orders-read', asked, wave, halt,",
    replace: "return { kind: 'orders-read', asked, wave, halt: { revision: asked.halt, order: undefined },",
    breaks: ['I5', 'I14'],
    world: 'absent',
  },
  {
    name: 'halt-ignored-in-the-middle',
    story:
      'A halt stops nobody who has his slot: the service is taken down for an image that is known to be bad.',
    file: `${CORE}/ending.ts`,
    find: "return kind === 'update' && digest !== undefined && isHalted(halt?.order, { rollout, image: { digest } });",
    replace: 'return false;',
    breaks: ['I5'],
    world: 'quiet',
  },
  {
    name: 'nobody-goes-back-after-a-halt',
    story: 'A halt stops those who have not begun; everybody else stays on the bad image.',
    file: `${CORE}/want.ts`,
    find: 'if (isRemedy || back === undefined) return forth;',
    replace: "if (isRemedy || back === undefined || forth.kind !== 'go') return forth;",
    breaks: ['I5', 'I14'],
    world: 'quiet',
  },
  {
    name: 'return-to-the-halted-image',
    story: 'The way back after a halt leads to the very image that was halted.',
    file: `${CORE}/attempt.ts`,
    find: "target: goal.kind === 'update' ? { kind: 'release', image: goal.release.image } : { kind: 'last-good' },",
    replace:
      "target: { kind: 'release', image: goal.kind === 'update' ? goal.release.image : goal.wave.order.release.image },",
    breaks: ['I11', 'I9', 'I5'],
    world: 'quiet',
  },
  {
    name: 'halted-image-kept-as-last-good',
    story: 'Who leaves a halted image by a remedy keeps the halted one to go back to.',
    file: `${CORE}/attempt.ts`,
    find: "lastGood: goal.kind === 'update' && !leavesHalted ? 'running' : 'unchanged',",
    replace: "lastGood: goal.kind === 'update' ? 'running' : 'unchanged',",
    breaks: ['I5'],
    world: 'quiet',
  },
  {
    name: 'healthy-without-a-probe',
    story: 'Every image is called healthy once it has started, and a sick one reaches the whole fleet.',
    file: `${CORE}/swap.ts`,
    find: 'return { state: withPhase(state, probing), effects: [ask(attempt)] };',
    replace:
      "return { state: withPhase(state, { ...probing, name: 'settling', ending: { result: attempt.kind === 'update' ? 'healthy' : 'returned', reason: '' } }), effects: [{ kind: 'commit-swap' }] };",
    breaks: ['N9'],
    world: 'quiet',
  },
  {
    name: 'failed-release-tried-again',
    story: 'A node on which a release does not work takes its service down for it again and again.',
    file: `${CORE}/want.ts`,
    find: "if (ended !== undefined && ended !== 'healthy')",
    replace: 'if (false)',
    breaks: ['I8', 'B12'],
    world: 'quiet',
  },
  {
    name: 'attempt-names-reused',
    story: 'The second attempt bears the name of the first: nobody can tell how either ended.',
    file: `${CORE}/tried.ts`,
    find: 'triedOf(state, rollout)[kind].begun + 1',
    replace: '1',
    breaks: ['I8'],
    world: 'deadly',
  },
  {
    name: 'attempt-stays-in-the-journal',
    story: 'After each restart an agent reports once more how an attempt ended that was over long ago.',
    file: `${CORE}/attempt.ts`,
    find: 'const { attempt: _, ...journal } = state.journal;',
    replace: 'const { journal } = state;',
    breaks: ['I8'],
    world: 'deadly',
  },
  {
    name: 'no-result-after-a-crash',
    story: 'An agent that died in the middle never says how it ended, and the rollout waits for it.',
    file: `${CORE}/recover.ts`,
    find: 'return finish(known, attempt, undefined, endingWithoutMarks(attempt, observation), nowMs);',
    replace:
      'const { attempt: _, ...journal } = known.journal;\n      return consider({ ...known, journal }, event, nowMs);',
    breaks: ['I8'],
    world: 'deadly',
  },
  {
    name: 'undo-forgotten-after-a-crash',
    story:
      'An agent that dies while it takes an update back leaves the bad container in the place of the good one.',
    file: `${CORE}/recover.ts`,
    find: ': revert(known, { attempt }, attempt.ending);',
    replace: ': finish(known, attempt, undefined, attempt.ending, nowMs);',
    breaks: ['I9', 'I14', 'I5'],
    world: 'deadly',
  },
  {
    name: 'marks-not-looked-at',
    story: 'Where the journal was lost, a swap half done stays half done for ever.',
    file: `${CORE}/recover.ts`,
    find: 'const attempt = state.journal.attempt ?? attemptOfMarks(observation);',
    replace: 'const { attempt } = state.journal;',
    breaks: ['I9', 'I14'],
    world: 'handled',
  },
  {
    name: 'half-done-swap-called-done',
    story: 'An agent that died right after the swap calls the new container healthy without asking it.',
    file: `${CORE}/recover.ts`,
    find: '? probeAgain(known, attempt, nowMs)',
    replace: '? settle(known, { attempt }, done(attempt))',
    breaks: ['N9'],
    world: 'deadly',
  },
  {
    name: 'report-not-sent-again',
    story: 'A report that the bus did not take is never sent again, nor any after it.',
    file: `${CORE}/look.ts`,
    find: "return [timer('resend', RETRY_MIN_MS, RETRY_MAX_MS)];",
    replace: 'return [];',
    breaks: ['I8', 'I14'],
    world: 'lossy',
  },
  {
    name: 'one-acknowledgement-empties-the-outbox',
    story: 'Of several results that waited for the bus only the first one arrives.',
    file: `${CORE}/say.ts`,
    find: 'outbox: state.journal.outbox.filter((report) => report.id !== id)',
    replace: 'outbox: []',
    breaks: ['I8'],
    world: 'lossy',
  },
  {
    name: 'journal-forgets-what-an-attempt-goes-to',
    story:
      'An agent that restarts in the middle of an update does not know the image, and tells nonsense of it.',
    file: 'packages/agent/src/protocol/journal.ts',
    find: '  digest: digest.optional(),\n',
    replace: '',
    breaks: ['I9', 'I5'],
    world: 'deadly',
  },
  {
    name: 'presence-given-up-after-one-failure',
    story: 'A node whose presence could not be written once is taken for gone, though it is there.',
    file: 'packages/agent/src/shell/presence.ts',
    find: 'this.#within(RETRY_MS);',
    replace: '',
    breaks: ['I14'],
    world: 'lossy',
  },
];
