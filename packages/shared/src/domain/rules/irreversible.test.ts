/** How the checker reads I5, I8 and I9 for releases that cannot be undone. */

import { expect, test } from 'vitest';
import { digestOf, LogStory, SERVICE, type Turn } from '../../../../../test/support/log-story.ts';
import { checkLog } from '../rules.ts';

/** Rollout 7 brings something that cannot be undone, unless told otherwise; n1 is out with it. */
function oneOut(irreversible: { readonly irreversible?: true } = { irreversible: true }): {
  readonly story: LogStory;
  readonly turn: Turn;
} {
  const story = new LogStory();
  const image = { repository: 'registry.example/web', digest: digestOf(7) };
  story.order(7, { release: { rollout: 7, service: SERVICE, image, version: 'v7', ...irreversible } });
  const turn = story.claim('n1', 0);
  story.start(turn);
  return { story, turn };
}

const unhealthy = ({ story, turn }: ReturnType<typeof oneOut>): void =>
  story.report(turn, 'unhealthy', { running: digestOf(7) });

const broken = (story: LogStory): readonly string[] =>
  checkLog(story.entries).map(({ rule, message }) => `${rule}: ${message}`);

test('I8: who is not well on what cannot be undone may be open at rest; nobody else may', () => {
  const open = oneOut();
  unhealthy(open);
  expect(broken(open.story)).toEqual([]);
  expect(broken(oneOut().story)).toEqual(['I8: n1 (web in eu) never said how attempt a1 at rollout 7 ended']);
  const ordinary = oneOut({});
  unhealthy(ordinary);
  expect(broken(ordinary.story)).toEqual([
    'I9: n1 (web in eu) stays on rollout 7, which can be undone, and is not well',
    'I8: n1 (web in eu) never said how attempt a1 at rollout 7 ended',
  ]);
});

test('I8: it ends once: well at last, or failed when a newer release comes', () => {
  for (const result of ['healthy', 'failed'] as const) {
    const { story, turn } = oneOut();
    unhealthy({ story, turn });
    story.report(turn, result, { running: digestOf(7) });
    story.free(turn);
    expect(broken(story)).toEqual([]);
    story.report(turn, 'unhealthy', { id: 'said late' });
    expect(broken(story)).toEqual([
      `I8: n1 (web in eu) says unhealthy of attempt a1, which had ended as ${result}`,
    ]);
  }
});

test('I9: one that was not well and fails runs the release, for nothing was undone', () => {
  const { story, turn } = oneOut();
  unhealthy({ story, turn });
  story.report(turn, 'failed', { running: digestOf(6) });
  story.free(turn);
  expect(broken(story)).toEqual([
    `I9: n1 (web in eu) says failed of rollout 7, which cannot be undone, and runs ${digestOf(6)}`,
  ]);
});

test('I9: before it was started it is given up like any other', () => {
  const { story, turn } = oneOut();
  story.report(turn, 'failed', { running: digestOf(6) });
  story.free(turn);
  expect(broken(story)).toEqual([]);
});

test('I5: its halt takes nobody back', () => {
  const halted = (stay: { readonly stay?: true }) => {
    const open = oneOut();
    unhealthy(open);
    open.story.update('n2', 1);
    open.story.halt(7, stay);
    return open.story;
  };
  expect(broken(halted({ stay: true }))).toEqual([]);
  expect(broken(halted({}))).toContain(
    'I5: the halt of rollout 7 of web at revision 2 takes nodes back from what cannot be undone',
  );
  const back = halted({ stay: true });
  back.goBack('n2', 1, 6);
  expect(broken(back)).toEqual(['I9: n2 (web in eu) says returned from rollout 7, which cannot be undone']);
});
