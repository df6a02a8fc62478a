/**
 * Which events each core has met in which phase: what a simulation never does, it cannot show to be right. The tables of
 * phases and kinds are checked by the compiler against the cores' own types.
 */

import type { AgentEvent } from '@swell/agent/core/events.ts';
import type { ServiceState as AgentState, Phase } from '@swell/agent/core/state.ts';
import type { CoordinatorEvent } from '@swell/coordinator/core/events.ts';
import type { ServiceState as CoordinatorState } from '@swell/coordinator/core/state.ts';
import type { RolloutPhase } from '@swell/shared/domain/rollout.ts';

/** `recovering`: the engine has not been looked at since the start. */
type AgentPhase = Phase['name'] | 'recovering';
/** `reading`: the bus has not been read. `none`: there has been no rollout. `paused`: over whichever phase. */
type CoordinatorPhase = RolloutPhase['name'] | 'reading' | 'none' | 'paused';

const AGENT_PHASES = keysOf<AgentPhase>({
  recovering: 0,
  idle: 0,
  staging: 0,
  staged: 0,
  queued: 0,
  claiming: 0,
  checking: 0,
  preparing: 0,
  asking: 0,
  draining: 0,
  surging: 0,
  swapping: 0,
  probing: 0,
  confirming: 0,
  settling: 0,
  reverting: 0,
  rejoining: 0,
});
const AGENT_EVENTS = keysOf<AgentEvent['kind']>({
  observed: 0,
  'not-observed': 0,
  'container-changed': 0,
  connected: 0,
  disconnected: 0,
  'wave-heard': 0,
  'halt-heard': 0,
  'orders-read': 0,
  'orders-not-read': 0,
  'pulse-heard': 0,
  'slot-heard': 0,
  'slots-read': 0,
  'image-staged': 0,
  'image-not-staged': 0,
  'images-cleaned': 0,
  'images-not-cleaned': 0,
  'slot-claimed': 0,
  'slot-not-claimed': 0,
  'slot-renewed': 0,
  'slot-not-renewed': 0,
  'swap-prepared': 0,
  'swap-not-prepared': 0,
  'leave-answered': 0,
  'in-flight-counted': 0,
  'started-beside': 0,
  swapped: 0,
  'not-swapped': 0,
  probed: 0,
  confirmed: 0,
  'not-confirmed': 0,
  'swap-committed': 0,
  'swap-not-committed': 0,
  'swap-undone': 0,
  'swap-not-undone': 0,
  'rotation-told': 0,
  'report-stored': 0,
  'report-not-stored': 0,
  'timer-fired': 0,
  'stop-requested': 0,
});
const COORDINATOR_PHASES = keysOf<CoordinatorPhase>({
  reading: 0,
  none: 0,
  staging: 0,
  rolling: 0,
  soaking: 0,
  gated: 0,
  paused: 0,
  settled: 0,
  halting: 0,
  rested: 0,
  aborted: 0,
});
const COORDINATOR_EVENTS = keysOf<CoordinatorEvent['kind']>({
  'bus-read': 0,
  'time-passed': 0,
  'release-published': 0,
  'control-given': 0,
  'policy-written': 0,
  'policy-deleted': 0,
  'image-resolved': 0,
  'image-not-resolved': 0,
  'release-overtaken': 0,
  'release-not-published': 0,
  'gate-answered': 0,
  'tag-seen': 0,
  'tag-not-seen': 0,
  'tag-hinted': 0,
  'nodes-seen': 0,
  'reports-read': 0,
  'slot-seen': 0,
  'wave-seen': 0,
  'halt-seen': 0,
  'halt-elsewhere': 0,
  'wave-stored': 0,
  'halt-stored': 0,
  'event-stored': 0,
});

/** By program, phase and event: how often. */
export type Counts = Readonly<Record<string, number>>;

export const CORES = {
  agent: { phases: AGENT_PHASES, events: AGENT_EVENTS },
  coordinator: { phases: COORDINATOR_PHASES, events: COORDINATOR_EVENTS },
} as const satisfies Record<
  string,
  { readonly phases: readonly string[]; readonly events: readonly string[] }
>;
export type Core = keyof typeof CORES;

export const cellOf = (core: Core, phase: string, event: string): string => `${core} ${phase} ${event}`;

export class Coverage {
  readonly #agent = new Map<AgentPhase, Map<AgentEvent['kind'], number>>();
  readonly #coordinator = new Map<CoordinatorPhase, Map<CoordinatorEvent['kind'], number>>();

  agent({ kind }: AgentEvent, { phase, recovered }: AgentState): void {
    count(this.#agent, recovered ? phase.name : 'recovering', kind);
  }

  coordinator({ kind }: CoordinatorEvent, { ready, record: { rollout } }: CoordinatorState): void {
    const phase = rollout?.paused === undefined ? (rollout?.phase.name ?? 'none') : 'paused';
    count(this.#coordinator, ready ? phase : 'reading', kind);
  }

  counts(): Counts {
    return Object.fromEntries([...flat('agent', this.#agent), ...flat('coordinator', this.#coordinator)]);
  }
}

function count<Row, Column>(table: Map<Row, Map<Column, number>>, row: Row, column: Column): void {
  let counts = table.get(row);
  if (counts === undefined) {
    counts = new Map();
    table.set(row, counts);
  }
  counts.set(column, (counts.get(column) ?? 0) + 1);
}

function flat(core: Core, table: ReadonlyMap<string, ReadonlyMap<string, number>>): [string, number][] {
  return [...table].flatMap(([phase, counts]) =>
    [...counts].map(([event, times]): [string, number] => [cellOf(core, phase, event), times]),
  );
}

/** The keys of a record that has to name every one of a union. */
function keysOf<Key extends string>(record: Record<Key, 0>): readonly Key[] {
  return Object.keys(record) as Key[];
}
