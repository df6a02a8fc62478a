import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { resolvedAlready } from '@swell/shared/domain/unit.ts';
import type { Watch } from '@swell/shared/domain/watch.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const IMAGE = { repository: 'registry.example/web', tag: 'latest' };
const EVERY_MS = 300_000;
/** Looks are on a grid: by then there has been one. */
const SOON_MS = 2 * EVERY_MS;

function watching(mode: Watch['mode'], image: Watch['image'] = IMAGE): PolicyLayer {
  return { ...QUICK, watch: { image, everyMs: EVERY_MS, mode } };
}

/** A fleet on v0 whose tag names `tagged`; nothing was released yet. */
function fleet(mode: Watch['mode'], tagged = 'v0'): RolloutStory {
  const story = new RolloutStory({ policy: QUICK, regions: { eu: 3 } });
  story.images.set('latest', digestOf(tagged));
  story.policy(watching(mode));
  story.tick();
  return story;
}

function push(story: RolloutStory, version: string): void {
  story.images.set('latest', digestOf(version));
  story.pass(SOON_MS);
  story.act();
}

/** Which digests were released, in order. */
const released = (story: RolloutStory): readonly string[] =>
  story.history
    .map(({ wave }) => wave.release)
    .flatMap(({ rollout, image }, index, all) =>
      all[index - 1]?.rollout === rollout ? [] : [name(image.digest)],
    );

function name(digest: string): string {
  return Buffer.from(digest.replace(/^sha256:0*/, ''), 'hex').toString();
}

const running = (story: RolloutStory): readonly string[] => [
  ...new Set([...story.nodes.values()].map((node) => name(node.running))),
];

const answers = (story: RolloutStory): readonly string[] =>
  story.told().flatMap(({ name: event, line }) => (event.startsWith('control-') ? [line] : []));

test('N1: a new digest behind the tag is released, pinned, under a version of its own', () => {
  const story = fleet('auto');
  push(story, 'v1');
  const digest = digestOf('v1');
  expect(story.rollout.release).toMatchObject({
    image: { repository: 'registry.example/web', tag: 'latest', digest },
    version: `latest@${digest.slice(7, 19)}`,
  });
  expect([story.phase, running(story)]).toEqual(['settled', ['v1']]);
  push(story, 'v2');
  expect([released(story), running(story)]).toEqual([['v1', 'v2'], ['v2']]);
});

test('N1: at first sight the tag is followed too, unless the fleet is on it already', () => {
  const behind = fleet('auto', 'v1');
  behind.act();
  expect(running(behind)).toEqual(['v1']);
  const there = fleet('auto', 'v0');
  there.pass(SOON_MS);
  expect([there.state.record.rollout, there.state.record.publishing]).toEqual([undefined, undefined]);
  // Settled by somebody's hand, under another tag.
  const settled = new RolloutStory({ policy: QUICK });
  settled.publish('v1');
  settled.act();
  settled.images.set('latest', digestOf('v1'));
  settled.policy(watching('auto'));
  settled.pass(SOON_MS);
  expect(released(settled)).toEqual(['v1']);
});

test('N1: a proposal waits for approval, is told with its digest, and approved it is a release', () => {
  const story = fleet('propose');
  push(story, 'v1');
  const digest = digestOf('v1');
  expect(story.state.record.watched?.proposal).toEqual({ digest, sinceMs: expect.any(Number) });
  expect(story.told('release-proposed').map((event) => event.digest)).toEqual([digest]);
  expect(running(story)).toEqual(['v0']);
  story.control('approve', { digest });
  story.act();
  expect([running(story), story.state.record.watched?.proposal]).toEqual([['v1'], undefined]);
  // Said again it is done already, and nothing more happens.
  story.control('approve', { digest });
  story.pass(SOON_MS);
  expect(released(story)).toEqual(['v1']);
  expect(story.told('control-rejected')).toEqual([]);
});

test('N1: a newer digest takes the place of a proposal, which nobody can approve any more', () => {
  const story = fleet('propose');
  push(story, 'v1');
  push(story, 'v2');
  expect(story.told('release-proposed').map(({ digest }) => name(digest ?? ''))).toEqual(['v1', 'v2']);
  story.control('approve', { digest: digestOf('v1') });
  expect(answers(story)).toEqual([
    `approve of web is refused: digest: what is proposed is ${digestOf('v2')}, not ${digestOf('v1')}`,
  ]);
  story.control('approve', { digest: digestOf('v2') });
  story.act();
  expect(running(story)).toEqual(['v2']);
});

test('N1: what a person has refused is not proposed again', () => {
  const story = fleet('propose');
  push(story, 'v1');
  story.control('reject', { digest: digestOf('v1') });
  expect(story.state.record.watched?.proposal).toBeUndefined();
  push(story, 'v2');
  push(story, 'v1');
  expect(story.told('release-proposed').map(({ digest }) => name(digest ?? ''))).toEqual(['v1', 'v2']);
  expect(story.told('proposal-withdrawn').length).toBe(1);
  story.control('reject', { digest: digestOf('v3') });
  expect(answers(story).at(-1)).toBe('reject of web is refused: digest: nothing is proposed');
});

test('N1: a tag that moves back and forth rolls nothing back and forth', () => {
  const story = fleet('auto');
  for (const version of ['v1', 'v2', 'v1', 'v2', 'v0', 'v1']) push(story, version);
  // v0 was never released, so it is news once.
  expect(released(story)).toEqual(['v1', 'v2', 'v0']);
  expect(story.told('tag-passed-over').map(({ digest }) => name(digest ?? ''))).toEqual(['v1', 'v1']);
});

test('N1, B12: what was halted is no news, and neither is what the fleet went back to', () => {
  const story = fleet('auto', 'v0');
  story.publish('v1');
  story.act();
  story.behave('fails');
  push(story, 'v2');
  story.control('halt');
  story.behave('well');
  story.act();
  expect([story.phase, running(story)]).toEqual(['rested', ['v1']]);
  push(story, 'v1');
  expect(story.told('tag-passed-over')).toEqual([]);
  push(story, 'v2');
  expect(story.told('tag-passed-over').map(({ digest }) => name(digest ?? ''))).toEqual(['v2']);
  expect([released(story).includes('v3'), running(story)]).toEqual([false, ['v1']]);
});

test('N1, B1: a tag that moves during a cool-down supersedes what cools down', () => {
  const story = fleet('auto');
  story.policy({ ...watching('auto'), coolDownMs: 86_400_000 });
  story.images.set('latest', digestOf('v1'));
  story.pass(SOON_MS);
  story.images.set('latest', digestOf('v2'));
  story.pass(SOON_MS);
  story.pass(86_400_000);
  story.act();
  expect([released(story), running(story)]).toEqual([['v2'], ['v2']]);
});

test('N1, B1: a tag that moves back during a cool-down takes back what cools down', () => {
  const story = fleet('auto');
  story.policy({ ...watching('auto'), coolDownMs: 86_400_000 });
  push(story, 'v1');
  expect(story.state.record.candidate?.digest).toBe(digestOf('v1'));
  push(story, 'v0');
  expect(story.state.record.candidate).toBeUndefined();
  expect(story.told('rollout-superseded').length).toBe(1);
  story.pass(86_400_000);
  expect(running(story)).toEqual(['v0']);
});

test('a tag as long as any gives a release that is accepted', () => {
  const story = new RolloutStory({ policy: QUICK, regions: { eu: 2 } });
  const tag = 't'.repeat(128);
  story.images.set(tag, digestOf('v1'));
  story.policy(watching('auto', { ...IMAGE, tag }));
  story.act();
  expect(running(story)).toEqual(['v1']);
});

test('N1: what somebody releases by hand at the same time is not released twice', () => {
  const story = fleet('auto');
  story.images.set('latest', digestOf('v1'));
  story.images.set('v1', { reason: 'the registry does not answer', retrying: true });
  story.publish('v1');
  story.pass(SOON_MS);
  expect(story.state.record.publishing).toBeUndefined();
  story.images.set('v1', digestOf('v1'));
  story.pass(SOON_MS);
  story.act();
  story.pass(SOON_MS);
  expect([released(story), story.rollout.release.version]).toEqual([['v1'], 'v1']);
});

/** The tag has moved to v1, and the release of it is on its way; the bus does not answer. */
function publishing(): RolloutStory {
  const story = fleet('auto');
  story.images.delete('latest');
  story.pass(SOON_MS);
  story.held = true;
  story.images.set('latest', digestOf('v1'));
  story.show(IMAGE);
  expect(story.state.record.publishing?.tagged).toBe(digestOf('v1'));
  return story;
}

test('N1: a release by hand that comes between does not lose the digest', () => {
  const story = publishing();
  const late = story.waiting.splice(0);
  story.held = false;
  story.publish('v5');
  for (const effect of late) story.perform(effect);
  story.pass(SOON_MS);
  story.act();
  expect([running(story), story.state.record.publishing]).toEqual([['v1'], undefined]);
});

test('N1: a policy that watches no more, or another tag, withdraws what is proposed', () => {
  for (const policy of [QUICK, watching('propose', { ...IMAGE, tag: 'stable' })]) {
    const story = fleet('propose');
    push(story, 'v1');
    story.policy(policy);
    expect(story.told('proposal-withdrawn').map(({ digest }) => name(digest ?? ''))).toEqual(['v1']);
    expect(story.state.record.watched?.proposal).toBeUndefined();
  }
});

test('N1: a policy that releases by itself releases what is proposed', () => {
  const story = fleet('propose');
  push(story, 'v1');
  story.policy(watching('auto'));
  story.act();
  expect([running(story), story.told('release-proposed').length]).toEqual([['v1'], 1]);
});

test('N1: where the bus lets us publish nothing, that is told once', () => {
  const story = publishing();
  const { publication = '' } = story.state.record.publishing ?? {};
  story.waiting.length = 0;
  story.held = false;
  story.post({ kind: 'release-not-published', publication, reason: 'permissions violation' });
  story.pass(SOON_MS);
  expect([released(story), story.state.record.publishing]).toEqual([[], undefined]);
  expect(story.told('tag-passed-over').length).toBe(1);
});

const VERSIONS = ['v0', 'v1', 'v2', 'v3', 'v4'];
const pushes = fc.array(fc.constantFrom(...VERSIONS), { minLength: 1, maxLength: 8 });
const RUNS = { numRuns: Number(process.env['SWELL_TEST_RUNS'] ?? 30) };

/** Digests of the releases that the coordinator itself has put on the stream, in order. */
function published(story: RolloutStory): readonly string[] {
  const digests: string[] = [];
  const post = story.post.bind(story);
  story.post = (event) => {
    if (
      event.kind === 'release-published' &&
      event.release.ok &&
      event.release.value.publication !== undefined
    )
      digests.push(name(resolvedAlready(event.release.value.image)?.digest ?? ''));
    return post(event);
  };
  return digests;
}

/** A small fleet that watches its tag and releases by itself. */
function small(): { readonly story: RolloutStory; readonly own: readonly string[] } {
  const story = new RolloutStory({ policy: QUICK, regions: { eu: 2 } });
  const own = published(story);
  story.images.set('latest', digestOf('v0'));
  story.policy(watching('auto'));
  return { story, own };
}

test('N1: each digest is released once, in the order in which they come, whoever leads', {
  timeout: 60_000,
}, () => {
  const check = (versions: readonly string[], restarts: readonly boolean[]): void => {
    const { story, own } = small();
    versions.forEach((version, index) => {
      push(story, version);
      if (restarts[index % restarts.length] === true) story.restart();
    });
    const first = versions.findIndex((version) => version !== 'v0');
    const news = first < 0 ? [] : versions.slice(first);
    expect(own).toEqual([...new Set(news)]);
  };
  const anyRestarts = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(pushes, anyRestarts, check), RUNS);
});

type Act = (story: RolloutStory) => void;
const anyVersion = fc.constantFrom(...VERSIONS);
const act = fc.oneof(
  anyVersion.map(
    (version): Act =>
      (story) =>
        void story.images.set('latest', digestOf(version)),
  ),
  fc.constantFrom(1_000, SOON_MS).map(
    (ms): Act =>
      (story) =>
        story.pass(ms),
  ),
  fc.constant<Act>((story) => story.act(() => false, 5)),
  fc.constant<Act>((story) => story.restart()),
  fc.constant<Act>((story) => {
    story.held = true;
  }),
  fc.constant<Act>((story) => story.letGo()),
  fc.constant<Act>((story) => {
    story.images.set('latest', { reason: 'the registry does not answer', retrying: true });
  }),
  fc.constant<Act>((story) => story.post({ kind: 'tag-hinted', hint: { repository: 'web' } })),
  fc.constant<Act>((story) => story.control('halt')),
  anyVersion.map(
    (version): Act =>
      (story) =>
        void story.publish(version, { allowDowngrade: true }),
  ),
);

test('N1: whatever happens, nothing is released twice, and in the end the fleet has been told of what the tag names', {
  timeout: 120_000,
}, () => {
  const check = (acts: readonly Act[], last: string): void => {
    const { story, own } = small();
    const byHand: string[] = [];
    const publish = story.publish.bind(story);
    story.publish = (tag, intent) => {
      byHand.push(tag);
      return publish(tag, intent);
    };
    for (const one of acts) one(story);
    story.letGo();
    // What was held back and then forgotten with its leader is asked anew.
    story.restart();
    for (let round = 0; round < 3; round += 1) push(story, last);
    expect(own).toEqual([...new Set(own)]);
    expect([...own, ...byHand, 'v0']).toContain(last);
    expect(story.state.record.watched).not.toHaveProperty('undecided');
  };
  fc.assert(fc.property(fc.array(act, { maxLength: 30 }), anyVersion, check), RUNS);
});
