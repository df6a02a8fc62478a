import type { CoordinatorEvent } from '../core/events.ts';

/** Nodes that spoke while the core was busy are heard at once: a fleet of 100,000 is judged once, not 100,000 times. */
export function mergeEvents(events: readonly CoordinatorEvent[]): readonly CoordinatorEvent[] {
  const merged: CoordinatorEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    if (last?.kind === 'nodes-seen' && event.kind === 'nodes-seen') {
      merged[merged.length - 1] = { kind: 'nodes-seen', nodes: [...last.nodes, ...event.nodes] };
    } else if (last?.kind === 'reports-read' && event.kind === 'reports-read') {
      merged[merged.length - 1] = { kind: 'reports-read', reports: [...last.reports, ...event.reports] };
    } else if (last?.kind !== 'time-passed' || event.kind !== 'time-passed') {
      merged.push(event);
    }
  }
  return merged;
}
