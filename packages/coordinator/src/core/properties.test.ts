/**
 * Whatever happens in whichever order: what must hold of the core. Its inputs are frozen, the bus checks that each write
 * expects what stands, and a write that is on its way is alone.
 */

import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import { admits } from '@swell/shared/domain/wave.ts';
import { parseWindow, type TimeWindow } from '@swell/shared/domain/window.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory, roundTripped } from '../../../../test/support/rollout-story.ts';
import { hasFailed } from '../../../../test/support/story-nodes.ts';
import type { Effect } from './effects.ts';

type Act = (story: RolloutStory) => void;

const REGIONS = ['eu', 'us', 'ap'];

/** A node of the story, by a number. */
function some(story: RolloutStory, index: number): string {
  const ids = [...story.nodes.keys()];
  return ids[index % ids.length] ?? 'eu-1';
}

const named = (name: string, act: Act) => ({ act, toString: () => name });

function windowOf(text: string): TimeWindow {
  const window = parseWindow(text);
  if (typeof window === 'string') throw new Error(window);
  return window;
}

/** Closed for two hours, which is less than a story is given to come to its end. */
const CLOSED_AT_TIMES = { eu: { windows: [windowOf('17:00-15:00')], except: [] } };

/** Said by some policies, and not by others. */
const perhaps = fc.record(
  {
    windows: fc.constant(CLOSED_AT_TIMES),
    coolDownMs: fc.constant(60_000),
    canary: fc.constant({ label: 'canary', soakMs: 60_000 }),
    firstGroupSoakMs: fc.constant(120_000),
    hold: fc.constant([{ label: 'held', reason: 'new disks' }]),
  },
  { requiredKeys: [] },
);

const said = fc.record({
  stagesPercent: fc.constantFrom([100], [10, 100], [6.25, 12.5, 25, 50, 100], [50, 60, 100]),
  approval: fc.constantFrom('manual' as const, 'automatic' as const),
  maxUnavailable: fc.constantFrom(
    { kind: 'count', count: 1 } as const,
    { kind: 'count', count: 5 } as const,
    { kind: 'percent', percent: 20 } as const,
  ),
  soakMs: fc.constantFrom(0, 60_000),
  regions: fc.constantFrom('parallel' as const, [['eu'], ['us']], [['us', 'ap']], [['mars'], ['ap', 'eu']]),
  failureBudget: fc.constantFrom(
    { max: { kind: 'count', count: 1 }, minSample: 1 } as const,
    { max: { kind: 'percent', percent: 50 }, minSample: 3 } as const,
  ),
});

const anyPolicy = fc.tuple(said, perhaps).map(([one, other]) => ({ ...one, ...other }));

const anyNode = fc.nat(40);

/** Time and nodes that do as they are told: most of what happens. */
const work = fc.oneof(
  fc.constant(named('everybody acts', (story) => void story.actOnce())),
  fc.constant(named('everybody acts for long', (story) => story.act(() => false, 20))),
  fc
    .constantFrom(1_000, 30_000, 130_000, 400_000)
    .map((ms) => named(`pass ${ms}`, (story) => story.pass(ms))),
);

const trouble = fc.oneof(
  fc
    .constantFrom('v1', 'v2', 'v3')
    .map((tag) => named(`publish ${tag}`, (story) => void story.publish(tag, { allowDowngrade: true }))),
  fc.constant(named('publish bad', (story) => void story.publishBad('image: is missing'))),
  fc
    .constantFrom('approve', 'pause', 'resume', 'halt', 'abort', 'approve', 'resume')
    .map((action) => named(action, (story) => story.control(action))),
  anyPolicy.map((policy) =>
    named(`policy ${JSON.stringify(policy)}`, (story) => story.policy({ ...QUICK, ...policy })),
  ),
  fc
    .tuple(fc.constantFrom('well', 'fails', 'hangs', 'stage-fails', 'silent', 'well', 'well'), anyNode)
    .map(([behaviour, index]) =>
      named(`${index} ${behaviour}`, (story) => story.behave(behaviour, some(story, index))),
    ),
  fc
    .tuple(fc.constantFrom('canary', 'canary', 'held'), anyNode)
    .map(([label, index]) =>
      named(`${index} is ${label}`, (story) => story.label(label, some(story, index))),
    ),
  anyNode.map((index) => named(`${index} leaves`, (story) => story.leave(some(story, index)))),
  anyNode.map((index) => named(`${index} comes back`, (story) => story.comeBack(some(story, index)))),
  anyNode.map((index) =>
    named(`${index} dies`, (story) => {
      story.node(some(story, index)).here = false;
    }),
  ),
  fc.constantFrom(...REGIONS).map((region) => named(`one joins ${region}`, (story) => story.join(region, 1))),
  fc.constant(named('restart', (story) => story.restart())),
  fc.constant(
    named('the bus holds', (story) => {
      story.held = true;
    }),
  ),
  fc.constant(named('the bus lets go', (story) => story.letGo())),
);

const life = fc.array(fc.oneof({ weight: 3, arbitrary: work }, { weight: 2, arbitrary: trouble }), {
  minLength: 5,
  maxLength: 40,
});

/** Each of these looks at a story after every act. */
type Watch = (story: RolloutStory) => void;

function live(acts: readonly { readonly act: Act }[], watches: readonly Watch[]): RolloutStory {
  const story = new RolloutStory({ regions: { eu: 8, us: 4 } });
  for (const { act } of acts) {
    act(story);
    for (const watch of watches) watch(story);
  }
  return story;
}

function isStopped(story: RolloutStory): boolean {
  return ['halting', 'rested', 'aborted'].includes(story.state.record.rollout?.phase.name ?? '');
}

/** I4. By the record, and by every wave that was ever stored. */
function cursorsOnlyRise(): Watch {
  const furthest = new Map<string, number>();
  const canaries = new Map<string, readonly string[]>();
  let seen = 0;
  return (story) => {
    const { rollout } = story.state.record;
    for (const [region, { cursor }] of Object.entries(rollout?.regions ?? {})) {
      const key = `${region}/${rollout?.release.rollout}`;
      expect(cursor).toBeGreaterThanOrEqual(furthest.get(key) ?? FIRST);
      furthest.set(key, cursor);
    }
    for (const { wave } of story.history.slice(seen)) {
      if (wave.phase === 'halted' || wave.phase === 'aborted') continue;
      const key = `wave/${wave.region}/${wave.release.rollout}`;
      const cursor = wave.phase === 'settled' ? LAST : wave.cursor;
      expect(cursor).toBeGreaterThanOrEqual(furthest.get(key) ?? FIRST);
      furthest.set(key, cursor);
      if (wave.phase === 'settled') continue;
      // Canaries that were named once stay so.
      expect(wave.canaries ?? []).toEqual(expect.arrayContaining([...(canaries.get(key) ?? [])]));
      canaries.set(key, wave.canaries ?? []);
    }
    seen = story.history.length;
  };
}

/** A second look at the same moment finds nothing to do: no wave again, no record again. */
const isAtRest: Watch = (story) => {
  const { record } = story.state;
  const revisions = [...story.waves.values()].map(({ revision }) => revision);
  expect(story.tick(0)).toEqual([]);
  expect(story.state.record).toBe(record);
  expect([...story.waves.values()].map(({ revision }) => revision)).toEqual(revisions);
};

/** Of each key one write at most is on its way. */
const writesAreAlone: Watch = (story) => {
  const keys = story.waiting.flatMap(keyOf);
  expect(keys.length).toBe(new Set(keys).size);
};

/** No event is told twice by one leader: the log takes the second one of an id for a repetition, and drops it. */
const eventsAreToldOnce: Watch = ({ tellings }) => {
  expect(tellings.filter((id, index) => tellings.indexOf(id) !== index)).toEqual([]);
};

function keyOf(effect: Effect): readonly string[] {
  if (effect.kind === 'publish-wave') return [effect.wave.region];
  if (effect.kind === 'publish-halt') return ['halt'];
  return effect.kind === 'tell' ? [effect.event.id] : [];
}

/** What is saved is what is remembered, and whoever goes on with it wants the same to stand. */
const recordsAreWhole: Watch = (story) => {
  expect(roundTripped(story.state.record)).toEqual(story.state.record);
};

/** Once nothing is on its way: whoever leads next reads what stands, and finds nothing to change. */
const nextLeaderAgrees: Watch = (story) => {
  if (story.held) return;
  const { record, waves } = story.state;
  const written = story.history.length;
  story.restart();
  expect(story.history.slice(written)).toEqual([]);
  expect(story.state.waves).toEqual(waves);
  expect({ ...story.state.record, outbox: [] }).toEqual({ ...record, outbox: [] });
};

/** I5. Once the halt stands no wave lets anybody start what was halted. */
const haltedLetsNobodyStart: Watch = (story) => {
  const halt = story.halt.order;
  if (story.held || halt === undefined) return;
  for (const { order } of story.waves.values()) {
    if (order.release.rollout === halt.rollout) expect(admits(order, FIRST)).toBe(false);
  }
};

const RUNS = { numRuns: Number(process.env['SWELL_TEST_RUNS'] ?? 60) };

/** What breaks a rule, in fast-check's words, with the seed that brings it back; nothing, where every life keeps it. */
function broken(check: (acts: readonly { readonly act: Act }[]) => void): string | undefined {
  return fc.defaultReportMessage(fc.check(fc.property(life, check), RUNS));
}

test('a cursor never falls but by halt or abort, whatever happens', { timeout: 60_000 }, () => {
  expect(broken((acts) => void live(acts, [cursorsOnlyRise(), writesAreAlone]))).toBeUndefined();
});

test('what stands as it should is neither written nor saved again', { timeout: 60_000 }, () => {
  const watches = [isAtRest, eventsAreToldOnce, haltedLetsNobodyStart];
  expect(broken((acts) => void live(acts, watches))).toBeUndefined();
});

test('a record goes through the bus unchanged, and who goes on with it agrees with who wrote it', {
  timeout: 60_000,
}, () => {
  expect(broken((acts) => void live(acts, [recordsAreWhole, nextLeaderAgrees]))).toBeUndefined();
});

test('once all faults are over every rollout ends (I14)', { timeout: 120_000 }, () => {
  expect(broken((acts) => endWell(live(acts, [])))).toBeUndefined();
});

function endWell(story: RolloutStory): void {
  story.letGo();
  for (const node of story.nodes.values()) {
    node.here = true;
    node.behaviour = 'well';
  }
  story.seeAll();
  // Whoever holds nodes lets them go in the end: a group in which all are held waits for that.
  const { hold: _, ...policy } = story.state.record.policy?.layer ?? {};
  story.policy(policy);
  if (story.state.record.rollout === undefined) story.publish('v9');
  story.pass(60_000);
  for (let round = 0; round < 60 && !isOver(story); round += 1) {
    story.act();
    // Whoever watches says what is asked of him.
    if (story.rollout.paused !== undefined) story.control('resume');
    if (story.rollout.phase.name === 'gated') story.control('approve');
    story.pass(300_000);
  }
  expect(isOver(story)).toBe(true);
  if (isStopped(story)) return;
  story.act();
  const { image } = story.rollout.release;
  const behind = [...story.nodes.values()].filter(
    (node) => node.running !== image.digest && !hasFailed(node, story.rollout.release),
  );
  expect(behind).toEqual([]);
}

function isOver(story: RolloutStory): boolean {
  return ['settled', 'rested', 'aborted'].includes(story.rollout.phase.name);
}
