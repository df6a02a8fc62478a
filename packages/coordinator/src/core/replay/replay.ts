/**
 * B16. "Would this policy have stopped release X?" The core itself lives the rollout once more, in a time of its own, under
 * another policy, among nodes that take the release as they did. It begins with the release's publication, so a
 * cool-down, windows and the release's own words hold as they would have.
 */

import type { Policy, PolicyLayer } from '@swell/shared/domain/policy.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { PULSE_FRESH_MS } from '@swell/shared/domain/wave.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import type { Effect } from '../effects.ts';
import type { CoordinatorEvent } from '../events.ts';
import { countStanding, lineOf } from '../nodes/line.ts';
import { countAttempts } from '../nodes/tally.ts';
import { knownRegions } from '../stage/regions.ts';
import { newService, policyOf, policyUnder, type ServiceState } from '../state.ts';
import { step } from '../step.ts';
import { explain } from '../view/explain.ts';
import { type Due, PaperFleet } from './paper-fleet.ts';
import type { Outcome, Recording, ReplayEnd, Taken } from './recording.ts';

/** Windows go by the minute; what ends at a known time is looked at then. */
const TICK_MS = 60_000;
/** Beyond it nobody waits for the end. */
const LIVED_MAX_MS = 30 * 86_400_000;

/** Lives it step by step, so that whoever asks can do something else between two of them. */
export function* replay(recording: Recording, layer: PolicyLayer): Generator<undefined, ReplayEnd> {
  const life = new Life(recording, layer);
  for (;;) {
    const end = life.goOn();
    if (end !== undefined) return end;
    yield undefined;
  }
}

/** How long a node takes of which the log does not tell: as long as half of those took that came through. */
export function unrecordedTakes({ nodes }: Recording, policy: Policy): Extract<Taken, { is: 'healthy' }> {
  const times = nodes
    .flatMap(({ taken }) => (taken.is === 'healthy' ? [taken.afterMs] : []))
    .sort((a, b) => a - b);
  return { is: 'healthy', afterMs: times[times.length >> 1] ?? policy.health.minHealthyTimeMs };
}

class Life {
  readonly #recording: Recording;
  readonly #fleet: PaperFleet;
  readonly #heard: CoordinatorEvent[] = [];
  #due: Due[] = [];
  #state: ServiceState;
  #nowMs: number;
  #revision = 0;
  #rejected: string | undefined;
  #dropped: string | undefined;

  constructor(recording: Recording, layer: PolicyLayer) {
    const { at, before, nodes, digest } = recording;
    const { trainOf: _, ...alone } = recording.intent;
    const intent = { ...alone, overrides: withoutOthers(alone.overrides) };
    this.#recording = recording;
    this.#nowMs = at.storedAtMs;
    this.#state = newService(before.service, recordUnder(before, layer));
    this.#fleet = new PaperFleet({
      service: before.service,
      rollout: at.sequence,
      digest,
      nodes,
      unrecorded: unrecordedTakes(recording, policyUnder(this.#state.record, intent.overrides)),
    });
    const presence = { phase: 'idle', ready: true };
    this.#heard.push(
      {
        kind: 'nodes-seen',
        nodes: nodes.map(({ region, node, labels, running }) => ({
          region,
          node,
          // Whoever was there stays.
          seenAtMs: Number.POSITIVE_INFINITY,
          presence: { ...presence, ...(running !== undefined && { running }) },
          labels,
        })),
      },
      { kind: 'bus-read' },
      { kind: 'release-published', at, release: { ok: true, value: intent } },
    );
  }

  /** One moment: all that is said at once; then time goes on to the next. The end, once there is one. */
  goOn(): ReplayEnd | undefined {
    this.#settle();
    const end = this.#end();
    if (end !== undefined) return end;
    this.#nowMs = this.#nextMs();
    const [now, later] = split(this.#due, ({ atMs }) => atMs <= this.#nowMs);
    this.#due = later;
    if (now.length === 0) this.#heard.push({ kind: 'time-passed' });
    else this.#hearReports(now.map((due) => this.#fleet.act(due)));
    return undefined;
  }

  /** When somebody has something to do, something ends, or it is time to look again. */
  #nextMs(): number {
    const state = this.#state;
    // Without a look for longer nobody led, and no time counts for a safe rate.
    const tickMs = policyOf(state).safeRate === undefined ? TICK_MS : PULSE_FRESH_MS;
    const ends = explain(state, this.#nowMs).flatMap(({ untilMs = 0 }) =>
      untilMs > this.#nowMs ? [untilMs] : [],
    );
    return Math.min(this.#nowMs + tickMs, this.#due[0]?.atMs ?? Number.POSITIVE_INFINITY, ...ends);
  }

  /** Until nobody has anything to say at this moment. */
  #settle(): void {
    do {
      for (let event = this.#heard.shift(); event !== undefined; event = this.#heard.shift())
        this.#step(event);
      const { reports, lost, due } = this.#fleet.look(this.#nowMs);
      this.#due = [...this.#due, ...due].sort((a, b) => a.atMs - b.atMs);
      this.#hearReports(reports);
      for (const { region, slot, node, attempt, leaseMs } of lost) {
        const holder = { node, rollout: this.#recording.at.sequence, attempt, leaseMs };
        this.#revision += 1;
        const entry = { revision: this.#revision, holder };
        this.#heard.push({ kind: 'slot-seen', region, slot, entry, heardAtMs: this.#nowMs });
      }
      // Nobody is there to look whether it is well: whoever would have approved does.
      if (this.#heard.length === 0 && this.#isGated) this.#approve();
    } while (this.#heard.length > 0);
  }

  get #isGated(): boolean {
    const { rollout } = this.#state.record;
    return rollout?.phase.name === 'gated' && rollout.paused === undefined;
  }

  #approve(): void {
    const { controlsTaken } = this.#state.record;
    const at = { sequence: controlsTaken.sequence + 1, storedAtMs: this.#nowMs };
    this.#heard.push({ kind: 'control-given', at, control: { ok: true, value: { action: 'approve' } } });
  }

  #hearReports(reports: readonly NodeReport[]): void {
    if (reports.length === 0) return;
    const heard = reports.map((report) => {
      this.#revision += 1;
      return { report, sequence: this.#revision, heardAtMs: this.#nowMs };
    });
    this.#heard.push({ kind: 'reports-read', reports: heard });
  }

  #step(event: CoordinatorEvent): void {
    const { state, effects } = step(this.#state, event, this.#nowMs);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  /** What the bus and the registry would have answered. */
  #perform(effect: Effect): void {
    this.#revision += 1;
    const revision = this.#revision;
    switch (effect.kind) {
      case 'publish-wave':
        this.#fleet.hear(effect.wave);
        this.#heard.push({ kind: 'wave-stored', region: effect.wave.region, revision, wave: effect.wave });
        return;
      case 'publish-halt':
        this.#heard.push({ kind: 'halt-stored', revision, halt: effect.halt });
        return;
      case 'clear-slot': {
        const { region, slot } = effect;
        this.#fleet.clear(region, slot);
        this.#heard.push({ kind: 'slot-seen', region, slot, entry: { revision }, heardAtMs: this.#nowMs });
        return;
      }
      case 'resolve-image':
        this.#heard.push({ kind: 'image-resolved', rollout: effect.rollout, digest: this.#recording.digest });
        return;
      case 'tell': {
        const { id, name, rollout, problems, line } = effect.event;
        this.#heard.push({ kind: 'event-stored', id });
        if (rollout !== this.#recording.at.sequence) return;
        if (name === 'release-rejected') this.#rejected = problems?.join('; ') ?? line;
        if (name === 'rollout-aborted') this.#dropped = line;
        return;
      }
      case 'ask-gate':
      case 'look-at-tag':
      case 'publish-release':
        throw new Error(`a life of the past needs nobody for ${effect.kind}`);
      default:
        return unreachable(effect);
    }
  }

  #end(): ReplayEnd | undefined {
    const { rollout, candidate } = this.#state.record;
    if (this.#rejected !== undefined) return this.#ended('rejected', this.#rejected);
    if (rollout !== undefined) {
      const { phase, paused } = rollout;
      if (phase.name === 'settled') return this.#ended('settled');
      if (phase.name === 'halting' || phase.name === 'rested') return this.#ended('halted', phase.reason);
      if (phase.name === 'aborted') return this.#ended('aborted', phase.reason);
      if (paused !== undefined) return this.#ended('paused', paused.reason);
    } else if (candidate === undefined && this.#dropped !== undefined)
      return this.#ended('aborted', this.#dropped);
    return this.#nowMs - this.#recording.at.storedAtMs > LIVED_MAX_MS ? this.#ended('under way') : undefined;
  }

  #ended(outcome: Outcome, reason?: string): ReplayEnd {
    const { rollout } = this.#state.record;
    let updated = 0;
    if (rollout !== undefined) {
      for (const region of knownRegions(this.#state)) {
        const line = lineOf(this.#state.census, rollout, region, this.#nowMs);
        updated += countStanding(line, line.nodes.length, (is) => is === 'updated');
      }
    }
    const failed = rollout === undefined ? 0 : countAttempts(rollout, this.#state.census).failed;
    return { outcome, atMs: this.#nowMs, updated, failed, ...(reason !== undefined && { reason }) };
  }
}

/** The service as it was, under the other policy; the rollout before this one has nothing to do with it. */
function recordUnder(before: ServiceRecord, layer: PolicyLayer): ServiceRecord {
  const { rollout: _, candidate: __, publishing: ___, ...kept } = before;
  return { ...kept, policy: { sequence: 0, storedAtMs: 0, layer: withoutOthers(layer) }, outbox: [] };
}

/** Nobody can ask Prometheus, a registry or other services again how things were. */
function withoutOthers(layer: PolicyLayer): PolicyLayer {
  const { gates: _, watch: __, dependsOn: ___, ...rest } = layer;
  return rest;
}

function split<Item>(items: readonly Item[], first: (item: Item) => boolean): readonly [Item[], Item[]] {
  return [items.filter((item) => first(item)), items.filter((item) => !first(item))];
}
