import type { CoordinatorEvent, HeardReport, NodeSighting } from '../core/events.ts';

/**
 * Nodes that spoke while the core was busy are heard at once: a fleet of 100,000 is judged once, not 100,000 times. What
 * nodes show and what they report are two things of each node, so neither waits for the other. That time has passed every
 * other event tells as well.
 */
export function mergeEvents(events: readonly CoordinatorEvent[]): readonly CoordinatorEvent[] {
  const merged: CoordinatorEvent[] = [];
  let nodes: NodeSighting[] = [];
  let reports: HeardReport[] = [];
  const endRun = (): void => {
    if (nodes.length > 0) merged.push({ kind: 'nodes-seen', nodes });
    if (reports.length > 0) merged.push({ kind: 'reports-read', reports });
    nodes = [];
    reports = [];
  };
  for (const event of events) {
    if (event.kind === 'nodes-seen') for (const node of event.nodes) nodes.push(node);
    else if (event.kind === 'reports-read') for (const report of event.reports) reports.push(report);
    else if (event.kind !== 'time-passed') {
      endRun();
      merged.push(event);
    }
  }
  endRun();
  return merged.length > 0 || events.length === 0 ? merged : [{ kind: 'time-passed' }];
}
