import { describe, expect, it } from 'vitest';
import { LogStory, REGION } from '../support/log-story.ts';
import { A, after, B, BETWEEN, FIRST, fleetOnSeven, presence, SECOND, SEED } from './demo-story.ts';
import { seePresence } from './fold.ts';
import { nextAct, stateOf, type View } from './view.ts';

function states(view: View): Readonly<Record<string, string>> {
  return Object.fromEntries(view.nodes.map((node) => [node.name, stateOf(node)]));
}

function texts(view: View): readonly string[] {
  return view.story.map(({ text }) => text);
}

describe('what is shown of a rollout', () => {
  it('is what its nodes report', () => {
    const view = after(fleetOnSeven(), (story) => {
      story.order(8, { seed: SEED });
      const turn = story.claim(FIRST, 0);
      story.report(turn, 'staged');
      story.start(turn);
    });
    expect(states(view)).toEqual({ [FIRST]: 'swapping', [SECOND]: 'waiting' });
    expect(view.regions[0]?.holders).toEqual({ 0: FIRST });
  });

  it('is told by presence while a node is in the middle of something, and by its report once it is through', () => {
    const story = new LogStory();
    let view = after(
      fleetOnSeven(),
      (more) => {
        more.order(8, { seed: SEED });
        more.start(more.claim(A, 0));
      },
      story,
    );
    view = seePresence(view, presence(A, 'probing'));
    expect(states(view)[A]).toBe('probing');
    view = after(view, (more) => more.update(A, 0), story);
    expect(states(seePresence(view, presence(A, 'idle')))[A]).toBe('healthy');
  });

  it('names who may go when the cursor moves, and nobody twice', () => {
    const view = after(fleetOnSeven(), (story) => {
      story.order(8, { seed: SEED, cursor: 0, phase: 'staging' });
      story.order(8, { seed: SEED, cursor: BETWEEN });
      story.order(8, { seed: SEED, cursor: BETWEEN });
      story.order(8, { seed: SEED, cursor: 1 });
    });
    const percent = Math.round(BETWEEN * 100);
    expect(texts(view)).toEqual([
      `${REGION}: the cursor moves to ${percent} %, ${FIRST} may go`,
      `${REGION}: the cursor moves to 100 %, ${SECOND} may go`,
    ]);
  });

  it('says why a node failed and what it is back on', () => {
    const view = after(fleetOnSeven(), (story) => {
      story.order(8, { seed: SEED });
      const turn = story.claim(A, 0);
      story.start(turn);
      story.report(turn, 'failed', { running: fleetOnSeven().nodes[0]?.running ?? '', reason: 'HTTP 404' });
      story.tell('node-failed', { rollout: 8, line: 'the same once more' });
      story.tell('rollout-halted', { rollout: 8, line: 'rollout 8 is halted' });
    });
    expect(texts(view).slice(1)).toEqual([
      `${A} holds slot 0, leaves the rotation and swaps`,
      `${A} failed, is back on v7: HTTP 404`,
      'rollout 8 is halted',
    ]);
    expect(view.standing).toBe('halted, going back');
  });

  it('is over with the next act: what comes late of the last one changes nothing but slots', () => {
    const story = new LogStory();
    const first = after(
      fleetOnSeven(),
      (more) => {
        more.order(8, { seed: SEED });
        more.update(A, 0);
        more.claim(B, 0);
      },
      story,
    );
    const next = nextAct(first);
    const late = after(
      next,
      (more) => {
        more.order(8, { seed: SEED, phase: 'settled' });
        more.tell('rollout-settled', { rollout: 8 });
        more.report({ node: B, rollout: 8, attempt: 'a9' }, 'healthy');
        more.free({ slot: 0 });
      },
      story,
    );
    expect(late).toEqual({ ...next, regions: [{ name: REGION, holders: {} }] });
  });
});
