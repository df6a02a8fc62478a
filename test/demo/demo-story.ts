/** A small fleet's log for tests of what is shown: two nodes of one region, told step by step. */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import { rankOf } from '@swell/shared/domain/rank.ts';
import type { Presence } from '@swell/shared/domain/report.ts';
import { digestOf, LogStory, REGION, SERVICE } from '../support/log-story.ts';
import { seeEntry, seePresence } from './fold.ts';
import { newView, type View } from './view.ts';

export const A = 'eu-1';
export const B = 'eu-2';
export const SEED = 'seed-8';

/** Which of both stands first in the line of rollout 8. */
export const [FIRST, SECOND] = rankOf(SEED, A) < rankOf(SEED, B) ? [A, B] : [B, A];
export const BETWEEN = (rankOf(SEED, A) + rankOf(SEED, B)) / 2;

/** Both on v7, and nothing going on. */
export function fleetOnSeven(): View {
  const nodes = [A, B].map((name) => ({ name, region: REGION }));
  const versions = { [digestOf(7)]: 'v7', [digestOf(8)]: 'v8' };
  return [A, B].reduce((view, node) => seePresence(view, presence(node, 'idle')), newView(nodes, versions));
}

export function presence(node: string, phase: string, running = digestOf(7)): Presence {
  return {
    region: REGION,
    node,
    agentVersion: '1',
    services: { [SERVICE]: { phase, ready: true, running } },
  };
}

/** The view after all that a story has written since it was last looked at. */
export function after(view: View, tell: (story: LogStory) => void, story = new LogStory()): View {
  const before = story.entries.length;
  tell(story);
  return story.entries.slice(before).reduce((seen: View, entry: LogEntry) => seeEntry(seen, entry), view);
}
