/** What somebody who watches sees: the fleet's log and presence, folded as they come, on a screen. */

import { decode } from '@swell/shared/protocol/codec.ts';
import { presenceSchema } from '@swell/shared/protocol/reports.ts';
import { ALL_NODES, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { seeEntry, seePresence } from './fold.ts';
import type { Row } from './frame.ts';
import type { Prober } from './prober.ts';
import type { Screen } from './screen.ts';
import { SlotTally } from './slot-tally.ts';
import { newView, nextAct, type View } from './view.ts';

export interface Watch {
  say(...rows: readonly Row[]): void;
  /** Something new is about to happen. Returns when: ms of the clock that stamps the log. */
  begin(): number;
  end(): void;
  /** The most nodes of one region that were out at once since this was last asked. */
  takeMostOut(): number;
}

/**
 * Follows a fleet until its bus is disposed.
 *
 * @param prober who asks the nodes' services; without one, who is out is told by the slots that are held
 */
export function watchFleet(
  fleet: Fleet,
  versions: Readonly<Record<string, string>>,
  screen: Screen,
  prober?: Prober,
): Watch {
  const slots = new SlotTally();
  let view: View = newView(fleet.nodes, versions);
  const see = (next: View): void => {
    view = next;
    screen.touched();
  };
  void fleet.log.until((entry) => {
    slots.see(entry);
    see(seeEntry(view, entry));
    return undefined;
  });
  void (async () => {
    const nodes = fleet.bus.follow({ stream: STREAMS.nodes, subjects: [ALL_NODES], from: 'last' });
    for await (const { body, deleted } of nodes) {
      const presence = decode(body, presenceSchema);
      if (!deleted && presence.ok) see(seePresence(view, presence.value));
    }
  })();
  return {
    say: (...rows) => screen.say(...rows),
    begin() {
      const nowMs = Date.now();
      view = nextAct(view);
      screen.watch(() => view, nowMs);
      return nowMs;
    },
    end: () => screen.rest(),
    takeMostOut: () => (prober ?? slots).takeMostOut(),
  };
}
