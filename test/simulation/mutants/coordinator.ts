/** Bugs in the coordinator: its core, its leadership, what it writes and what it hears. */

import type { Mutant } from './mutant.ts';

const CORE = 'packages/coordinator/src/core';
const SHELL = 'packages/coordinator/src/shell';

export const COORDINATOR_MUTANTS: readonly Mutant[] = [
  {
    name: 'cursor-follows-the-line-back',
    story: 'Nodes that were admitted are not any more once others have gone away.',
    file: `${CORE}/admission.ts`,
    find: 'return Math.max(cursor, cursorAt(line, count, percent));',
    replace: 'return cursorAt(line, count, percent);',
    breaks: ['I4'],
    world: 'absent',
  },
  {
    name: 'cursor-lowered-on-restart',
    story: 'Each restart of the coordinator begins the stage anew, and whoever was admitted waits again.',
    file: `${CORE}/step.ts`,
    find: 'return begin(state, nowMs);',
    replace: `{
      const { rollout } = state.record;
      const regions = Object.fromEntries(
        Object.entries(rollout?.regions ?? {}).map(([region, progress]) => [region, { ...progress, cursor: 0 }]),
      );
      const record = rollout === undefined ? state.record : { ...state.record, rollout: { ...rollout, regions } };
      return begin({ ...state, record }, nowMs);
    }`,
    breaks: ['I4', 'I14'],
    world: 'leaderless',
  },
  {
    name: 'stage-limit-ignored',
    story: 'The first stage of one per cent takes in the whole fleet.',
    file: `${CORE}/admission.ts`,
    find: 'const stageEnd = stageSize(percent, line.nodes.length);',
    replace: 'const stageEnd = line.nodes.length;',
    breaks: ['N4'],
    world: 'quiet',
  },
  {
    name: 'window-forgotten',
    story: 'Nodes of a region whose window has closed go on starting.',
    file: `${CORE}/windows.ts`,
    find: 'const closed = knownRegions(state).filter((region) => !isOpenIn(policy, region, nowMs));',
    replace:
      'const closed = knownRegions(state).filter((region) => !isOpenIn(policy, region, nowMs) && nowMs < 0);',
    breaks: ['N5'],
    world: 'planned',
  },
  {
    name: 'safe-rate-forgotten',
    story: 'A stage takes its nodes in as fast as slots become free, whatever the policy says.',
    file: `${CORE}/pace.ts`,
    find: 'if (safeRate === undefined) return line.nodes.length;',
    replace:
      'if (safeRate !== undefined) return line.nodes.length;\n  if (safeRate === undefined) return line.nodes.length;',
    breaks: ['P4'],
    world: 'planned',
  },
  {
    name: 'cool-down-forgotten',
    story: 'A release begins the moment it is published.',
    file: `${CORE}/cool-down.ts`,
    find: 'if (!urgent && coolDownMs > 0)',
    replace: 'if (!urgent && coolDownMs < 0)',
    breaks: ['B1'],
    world: 'planned',
  },
  {
    name: 'hold-not-told',
    story: 'Nodes that the policy holds are updated like all others.',
    file: `${CORE}/wanted.ts`,
    find: '...(holds.length > 0 && { holds }),',
    replace: '',
    breaks: ['B2'],
    world: 'planned',
  },
  {
    name: 'canaries-not-watched',
    story: 'The first stage follows its canaries at once.',
    file: `${CORE}/soak.ts`,
    find: 'if (rollout.percent === CANARIES_PERCENT) return canary?.soakMs ?? soakMs;',
    replace: 'if (rollout.percent === CANARIES_PERCENT) return 0 * (canary?.soakMs ?? soakMs);',
    breaks: ['N4'],
    world: 'planned',
  },
  {
    name: 'approval-not-waited-for',
    story: 'The next stage opens though the policy wants a person to say so.',
    file: `${CORE}/advance.ts`,
    find: 'if (isApproved(state, rollout, next)) return enterStage(state, { ...rollout, ...next }, nowMs);',
    replace: 'if (next !== undefined) return enterStage(state, { ...rollout, ...next }, nowMs);',
    breaks: ['P3'],
    world: 'quiet',
  },
  {
    name: 'soak-skipped',
    story: 'A stage that the policy wants watched for a minute is followed by the next one at once.',
    file: `${CORE}/advance.ts`,
    find: 'return advanceSoaking(state, rollout, phase.sinceMs + soakOf(state, rollout), nowMs);',
    replace: 'return advanceSoaking(state, rollout, phase.sinceMs, nowMs);',
    breaks: ['N4'],
    world: 'quiet',
  },
  {
    name: 'slots-counted-over-all-regions',
    story: 'A share of ten per cent of the whole fleet may be down in each region: in a small one everybody.',
    file: `${CORE}/slots.ts`,
    find: 'const present = presentNodes(state.census, region, nowMs).length;',
    replace:
      'const present = [...state.census.keys()].reduce((sum, one) => sum + presentNodes(state.census, one, nowMs).length, 0);',
    breaks: ['I1'],
    world: 'quiet',
  },
  {
    name: 'smaller-limit-not-obeyed',
    story: 'The operator lowers maxUnavailable in the middle of a rollout, and nothing changes.',
    file: `${CORE}/slots.ts`,
    find: 'return isByPolicy && !isOff ? before : { ...before, slots, nodes };',
    replace: 'return slots <= before.slots ? before : { ...before, slots, nodes };',
    breaks: ['I1'],
    world: 'fickle',
  },
  {
    name: 'slot-cleared-before-its-lease-ran-out',
    story: 'A node that is late with one renewal loses its slot while it is still at work in it.',
    file: `${CORE}/leases.ts`,
    find: '+ holder.leaseMs + LEASE_GRACE_MS ? holder : undefined;',
    replace: '+ holder.leaseMs / 2 ? holder : undefined;',
    breaks: ['I7', 'I1'],
    world: 'absent',
  },
  {
    name: 'slot-cleared-without-a-word',
    story: 'A lost slot is cleared in silence, as if it had only been free.',
    file: `${CORE}/losses.ts`,
    find: "next = forget(say(isCharged ? next : sayLost(next, lost), 'slot-cleared', lost, 'is cleared'), lost);",
    replace: 'next = forget(next, lost);',
    breaks: ['I7'],
    world: 'absent',
  },
  {
    name: 'lost-slot-not-charged',
    story:
      'A release that kills its machines costs no failure budget: it walks through the fleet lease by lease.',
    file: `${CORE}/losses.ts`,
    find: 'if (isCharged) next = charge(next, lost);',
    replace: 'if (isCharged) next = sayLost(next, lost);',
    breaks: ['N11'],
    world: 'absent',
  },
  {
    name: 'failure-budget-never-trips',
    story: 'A bad release takes every node down, one after the other.',
    file: `${CORE}/verdict.ts`,
    find: "if (isSpent(policy.failureBudget, { ...attempts, stageEnded })) return { is: 'lost', ...attempts };",
    replace: '',
    breaks: ['N11'],
    world: 'quiet',
  },
  {
    name: 'failures-counted-twice',
    story: 'A good release is halted for half of the failures that the policy allows.',
    file: `${CORE}/tally.ts`,
    find: "if (is === 'failed') failed += 1;",
    replace: "if (is === 'failed') failed += 2;",
    breaks: ['N11'],
    world: 'quiet',
  },
  {
    name: 'halt-rests-too-early',
    story:
      'The coordinator says that everybody has gone back while half of the fleet is still on the bad image.',
    file: `${CORE}/halting.ts`,
    find: 'for (const facts of nodes.values()) if (hasToReturn(facts, rollout, nowMs)) return state;',
    replace: 'if (nodes.size < 0 && hasToReturn(nodes.values().next().value, rollout, nowMs)) return state;',
    breaks: ['I5'],
    world: 'quiet',
  },
  {
    name: 'halted-image-taken-again',
    story: 'A release that brings a halted digest once more is rolled out as if nothing had been.',
    file: `${CORE}/intake.ts`,
    find: 'if (before !== undefined && !candidate.acceptHalted) {',
    replace: 'if (before !== undefined && candidate === undefined) {',
    breaks: ['B12'],
    world: 'quiet',
  },
  {
    name: 'settled-wave-dropped',
    story: 'Once a rollout has settled, a node that comes back later stays on the old version.',
    file: `${CORE}/wanted.ts`,
    find: "return settledWave(state, region) ?? stoppedWave(state, rollout, region, 'halted');",
    replace: "return stoppedWave(state, rollout, region, phase.name === 'settled' ? 'aborted' : 'halted');",
    breaks: ['I14'],
    world: 'quiet',
  },
  {
    name: 'silent-node-waited-for',
    story: 'One machine that is gone for good stalls the rollout for everybody.',
    file: `${CORE}/line.ts`,
    find: 'if (isPresent(facts, nowMs)) {',
    replace: 'if (isPresent(facts, nowMs) || facts.reported !== undefined) {',
    breaks: ['I14', 'I5'],
    world: 'absent',
  },
  {
    name: 'release-taken-twice',
    story: 'After a change of leaders an old release is taken once more, and replaces the newer one.',
    file: `${CORE}/intake.ts`,
    find: `  return isNew(at, state.record.releasesTaken)
    ? keepPublishing(state, weighRelease(state, at, parsed), at, parsed)
    : state;
}

function weighRelease(state: ServiceState, at: Place, parsed: Parsed<ReleaseIntent>): ServiceState {
  const { releasesTaken } = state.record;
  const taken = withRecord(state, { releasesTaken: withTaken(releasesTaken, at) });
  if (!hasFreeNumber(at, releasesTaken)) return rejectReused(taken, at);`,
    replace: `  return keepPublishing(state, weighRelease(state, at, parsed), at, parsed);
}

function weighRelease(state: ServiceState, at: Place, parsed: Parsed<ReleaseIntent>): ServiceState {
  const { releasesTaken } = state.record;
  const taken = withRecord(state, { releasesTaken: withTaken(releasesTaken, at) });`,
    breaks: ['B16', 'I4', 'I13'],
    world: 'frayed',
  },
  {
    name: 'control-taken-twice',
    story: 'After a change of leaders a halt of yesterday stops the rollout of today.',
    file: `${CORE}/control.ts`,
    find: 'if (!isNew(at, controlsTaken)) return state;',
    replace: '',
    breaks: ['B14'],
    world: 'talkative',
  },
  {
    name: 'pause-not-told',
    story: 'The operator pauses a rollout, is told that it is done, and nodes go on updating.',
    file: `${CORE}/wanted.ts`,
    find: "const phase = rollout.paused !== undefined ? 'paused' : isOpen && !isClosed ? 'open' : 'staging';",
    replace: "const phase = isOpen && !isClosed ? 'open' : 'staging';",
    breaks: ['B14'],
    world: 'talkative',
  },
  {
    name: 'paused-rollout-moves-on',
    story: 'A paused rollout lets further nodes in, which all start at the word to resume.',
    file: `${CORE}/advance.ts`,
    find: 'if (rollout.paused !== undefined || !isCensusComplete(state, nowMs)) return state;',
    replace: 'if (!isCensusComplete(state, nowMs)) return state;',
    breaks: ['B14'],
    world: 'talkative',
  },
  {
    name: 'abort-not-obeyed',
    story: 'The operator aborts a rollout, is told that it is done, and it goes on.',
    file: `${CORE}/aborting.ts`,
    find: "return tell(withRollout(state, { ...unpaused, phase: { name: 'aborted', reason } }), {",
    replace: 'return tell(withRollout(state, unpaused), {',
    breaks: ['B14'],
    world: 'talkative',
  },
  {
    name: 'pause-forgotten-by-the-next-leader',
    story: 'The coordinator restarts, and the rollout that was paused goes on by itself.',
    file: 'packages/shared/src/protocol/records.ts',
    find: '  paused: pause.optional(),\n',
    replace: '',
    breaks: ['B14'],
    world: 'leaderless',
  },
  {
    name: 'orders-written-over-anything',
    story: 'A leader that was replaced without knowing it writes its old orders over the new ones.',
    file: `${SHELL}/performers.ts`,
    find: '        expectLast: expect,\n',
    replace: '',
    breaks: ['I4', 'I6'],
    world: 'frayed',
  },
  {
    name: 'record-written-over-anything',
    story: 'Two leaders write over each other what the fleet remembers, and the cursor goes back.',
    file: `${SHELL}/services.ts`,
    find: '        expectLast: expect,\n',
    replace: '',
    breaks: ['I4', 'I6', 'I14'],
    world: 'frayed',
  },
  {
    name: 'lease-not-waited-for',
    story: 'Every coordinator takes the lease that it sees, and none of them leads for long.',
    file: `${SHELL}/leadership.ts`,
    find: 'return host.monotonicMs() - sinceMs > waitMs;',
    replace: 'return host.monotonicMs() - sinceMs >= 0 * waitMs;',
    breaks: ['B13'],
    world: 'quiet',
  },
  {
    name: 'first-message-after-the-reading-missed',
    story: 'A new leader overhears the first word after its reading: a node that has finished is waited for.',
    file: `${SHELL}/hearing.ts`,
    find: 'last, follow)',
    replace: 'last.sequence + 2, follow)',
    breaks: ['I14', 'N11', 'I1', 'I7', 'B14'],
    world: 'leaderless',
  },
  {
    name: 'reports-lost-in-a-crowd',
    story: 'Of the reports that arrive at once the coordinator hears only some, and waits for the others.',
    file: `${SHELL}/merge.ts`,
    find: 'for (const report of event.reports) reports.push(report);',
    replace: 'reports = [...event.reports];',
    breaks: ['I14', 'I5', 'N11'],
    world: 'quiet',
  },
  {
    name: 'release-forgotten-before-it-is-saved',
    story: 'A release counts as read before it is saved: a coordinator that dies in between loses it.',
    file: `${SHELL}/hearing.ts`,
    find: `        await this.#take(message, translateRelease(message), 'release-rejected');
        term.hasRead('releases', message);`,
    replace: `        term.hasRead('releases', message);
        await this.#take(message, translateRelease(message), 'release-rejected');`,
    breaks: ['B16'],
    world: 'frayed',
  },
  {
    name: 'bad-release-throws',
    story: 'One release that does not parse ends whoever leads, and again whoever leads next.',
    file: `${SHELL}/translate.ts`,
    find: 'const release = decode(message.body, releaseSchema);',
    replace:
      'const release = { ok: true as const, value: releaseSchema.parse(JSON.parse(new TextDecoder().decode(message.body))) };',
    breaks: ['B13', 'I13', 'I14', 'I5', 'crash'],
    world: 'quiet',
  },
  {
    name: 'regions-all-at-once',
    story: 'The policy puts one region before the others, and all of them go at once.',
    file: `${CORE}/regions.ts`,
    find: 'return regionGroups(state, grouping)[group]?.regions ?? [];',
    replace: 'return regionGroups(state, grouping)[group] === undefined ? [] : knownRegions(state);',
    breaks: ['N5'],
    world: 'quiet',
  },
];
