/** From the fleet's log and from presence to what is shown: no clock, no terminal. */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { NodeReport, Presence } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { standingAfter, tellEntry } from './story.ts';
import type { NodeState, NodeView, RegionView, View } from './view.ts';

export function seeEntry(view: View, entry: LogEntry): View {
  const telling = tellEntry(view, entry);
  const story = telling === undefined ? view.story : [...view.story, { ...telling, atMs: entry.atMs }];
  return { ...seen(view, entry), story };
}

export function seePresence(view: View, presence: Presence): View {
  const service = Object.values(presence.services)[0];
  const doing = DOING[service?.phase ?? ''];
  return withNode(view, presence.node, ({ name, region, reported, running }) => {
    // In the middle of a swap an agent may not know; then what ran last is shown.
    const runs = service?.running ?? running;
    return {
      name,
      region,
      reported,
      ...(doing !== undefined && { doing }),
      ...(runs !== undefined && { running: runs }),
    };
  });
}

function seen(view: View, entry: LogEntry): View {
  switch (entry.kind) {
    case 'wave':
      return entry.wave.release.rollout <= view.past ? view : seeWave(view, entry.wave);
    case 'slot':
      return withRegion(view, entry.region, (region) => {
        const { [entry.slot]: _, ...others } = region.holders;
        const { holder } = entry;
        return {
          ...region,
          holders: holder === undefined ? others : { ...others, [entry.slot]: holder.node },
        };
      });
    case 'report':
      return entry.report.rollout === view.rollout?.number ? seeReport(view, entry.report) : view;
    case 'event': {
      const isPast = entry.event.rollout !== undefined && entry.event.rollout <= view.past;
      return isPast ? view : { ...view, standing: standingAfter(entry.event) ?? view.standing };
    }
    case 'halt':
    case 'release':
      return view;
  }
}

function seeWave(view: View, wave: Wave): View {
  const { rollout: number, version, image } = wave.release;
  const isNew = view.rollout?.number !== number;
  const begun: View = {
    ...view,
    rollout: { number, version, seed: wave.seed },
    versions: { ...view.versions, [image.digest]: version },
    ...(isNew && { nodes: view.nodes.map((node) => ({ ...node, reported: 'waiting' as const })) }),
  };
  return withRegion(begun, wave.region, (region) => ({ ...region, wave }));
}

function seeReport(view: View, { node, status, running }: NodeReport): View {
  const reported = REPORTED[status];
  return withNode(view, node, (known) => ({
    ...known,
    ...(reported !== undefined && { reported }),
    ...(running !== undefined && { running }),
  }));
}

const REPORTED: Readonly<Partial<Record<NodeReport['status'], NodeState>>> = {
  staged: 'staged',
  'stage-failed': 'waiting',
  updating: 'swapping',
  returning: 'returning',
  healthy: 'healthy',
  failed: 'failed',
  interrupted: 'waiting',
  returned: 'returned',
};

/** Phases of the agent's core in which a node is in the middle of something. */
const DOING: Readonly<Record<string, NodeState>> = {
  preparing: 'swapping',
  swapping: 'swapping',
  probing: 'probing',
  reverting: 'returning',
};

function withNode(view: View, name: NodeId, change: (node: NodeView) => NodeView): View {
  return { ...view, nodes: view.nodes.map((node) => (node.name === name ? change(node) : node)) };
}

function withRegion(view: View, name: Region, change: (region: RegionView) => RegionView): View {
  return {
    ...view,
    regions: view.regions.map((region) => (region.name === name ? change(region) : region)),
  };
}
