import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import { unitDigest } from '@swell/shared/domain/unit.ts';
import { describe, expect, it } from 'vitest';
import { digestOf, QUICK, RolloutStory, roundTripped } from '../../../../test/support/rollout-story.ts';

const WEB = 'registry.example/web';
const WORKER = 'registry.example/worker';

function unit(web: string, worker: string) {
  const digests = { web: digestOf(web), worker: digestOf(worker) };
  return {
    image: { parts: { web: { repository: WEB, tag: web }, worker: { repository: WORKER, tag: worker } } },
    digest: unitDigest(digests),
    digests,
  };
}

function publish(
  story: RolloutStory,
  { image }: ReturnType<typeof unit>,
  more: Partial<ReleaseIntent> = {},
): number {
  for (const { tag } of Object.values(image.parts))
    if (!story.images.has(tag)) story.images.set(tag, digestOf(tag));
  return story.publish('', { image, ...more });
}

describe('B18: a release of several parts', () => {
  it('becomes one rollout, whose digest stands for all of them', () => {
    const story = new RolloutStory();
    const released = unit('v2', 'v2');
    const { digest, digests } = released;
    const number = publish(story, released);
    expect(story.rollout.release).toEqual({
      rollout: number,
      service: 'web',
      image: {
        digest,
        parts: {
          web: { repository: WEB, tag: 'v2', digest: digests.web },
          worker: { repository: WORKER, tag: 'v2', digest: digests.worker },
        },
      },
      version: 'v2',
    });
    expect(roundTripped(story.state.record)).toEqual(story.state.record);
    story.act();
    expect(story.phase).toBe('settled');
    expect(new Set([...story.nodes.values()].map(({ running }) => running))).toEqual(new Set([digest]));
  });

  it('waits with all its digests until it may begin', () => {
    const story = new RolloutStory();
    const released = unit('v2', 'v3');
    const { image, digest, digests } = released;
    const notBeforeMs = story.nowMs + 3_600_000;
    publish(story, released, { notBeforeMs });
    expect(story.state.record.candidate).toMatchObject({ image, digest, parts: digests });
    expect(roundTripped(story.state.record)).toEqual(story.state.record);
    story.images.set('v2', digestOf('moved'));
    story.pass(3_600_000);
    expect(story.rollout.release).toMatchObject({
      image: { digest, parts: { web: { digest: digests.web } } },
      // Their tags are two: its digest is all that it can be called.
      version: digest.slice(7, 19),
    });
  });

  it('is refused where one of them is missing', () => {
    const story = new RolloutStory();
    story.images.set('gone', { reason: 'no registry has it', retrying: false });
    publish(story, unit('v2', 'gone'));
    expect(story.told('release-rejected').map(({ problems }) => problems)).toEqual([
      ['image: no registry has it'],
    ]);
  });

  it('is remembered as bad once it was halted: this set of images, and none of them by itself', () => {
    const story = new RolloutStory();
    const bad = unit('v2', 'v2');
    publish(story, bad);
    story.control('halt');
    story.act();
    expect(story.state.record.halted.map(({ digest }) => digest)).toEqual([bad.digest]);
    publish(story, bad);
    expect(story.told('release-rejected')).toHaveLength(1);
    const other = unit('v2', 'v1');
    publish(story, other);
    expect(story.rollout.release.image.digest).toBe(other.digest);
  });

  it('Z6: is what an undo leads back to, with all its parts and without a registry', () => {
    const story = new RolloutStory({ policy: QUICK });
    const [first, second] = [unit('v1', 'v1'), unit('v2', 'v2')];
    for (const one of [first, second]) {
      publish(story, one);
      story.act();
      expect(story.phase).toBe('settled');
    }
    for (const tag of ['v1', 'v2']) story.images.set(tag, { reason: 'it is away', retrying: true });
    story.control('undo');
    expect(roundTripped(story.state.record)).toEqual(story.state.record);
    story.act();
    const { release } = story.rollout;
    expect([story.phase, release.version, release.image.digest]).toEqual(['settled', 'v1', first.digest]);
    expect('parts' in release.image && release.image.parts).toMatchObject({
      web: { repository: WEB, digest: first.digests.web },
      worker: { repository: WORKER, digest: first.digests.worker },
    });
    story.control('rollback', { version: 'v1' });
    expect(story.told('control-applied').at(-1)?.line).toContain('brings v1 already');
  });
});
