/**
 * The coordinator's core among a bus and nodes that do at once what they are told: stories of rollouts, told step by step.
 * What the core is given is frozen first, whatever it holds.
 */

import type { Effect } from '@swell/coordinator/core/effects.ts';
import type { CoordinatorEvent, NodeSighting } from '@swell/coordinator/core/events.ts';
import type { GateQuestion } from '@swell/coordinator/core/limits/gate-watch.ts';
import type { Others } from '@swell/coordinator/core/limits/others.ts';
import { withShown } from '@swell/coordinator/core/limits/shown.ts';
import { newService, type ServiceState } from '@swell/coordinator/core/state.ts';
import { step } from '@swell/coordinator/core/step.ts';
import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { GateAnswer } from '@swell/shared/domain/gate.ts';
import type { Digest, ImageReference } from '@swell/shared/domain/image.ts';
import type { ControlIntent, ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { rankOf } from '@swell/shared/domain/rank.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import { emptyRecord, type Rollout, type ServiceRecord } from '@swell/shared/domain/rollout.ts';
import type { SlotHolder } from '@swell/shared/domain/slot.ts';
import { type ByPart, type PartName, unitDigest } from '@swell/shared/domain/unit.ts';
import type { TagReference } from '@swell/shared/domain/watch.ts';
import type { Halt, Standing, Wave } from '@swell/shared/domain/wave.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { encodeRelease, releaseSchema } from '@swell/shared/protocol/intent.ts';
import { RECORD_BYTES_MAX, serviceRecordSchema } from '@swell/shared/protocol/records.ts';
import { deepFreeze } from './deep-freeze.ts';
import { act, type Behaviour, type StoryNode } from './story-nodes.ts';

export const SERVICE = 'web';

/** Without waits, and with every stage opening by itself: a story says what it is about. */
export const QUICK: PolicyLayer = {
  approval: 'automatic',
  soakMs: 0,
  stagingQuorumPercent: 80,
  stagesPercent: [10, 50, 100],
  maxUnavailable: { kind: 'count', count: 2 },
  slotLeaseMs: 120_000,
  progressDeadlineMs: 900_000,
};

export function digestOf(name: string): Digest {
  return `sha256:${Buffer.from(name).toString('hex').padStart(64, '0')}`;
}

export interface StoryOptions {
  readonly policy?: PolicyLayer;
  readonly regions?: Readonly<Record<Region, number>>;
  readonly service?: ServiceName;
  /** Where several services are told of together: what each knows of the others. */
  readonly among?: { others: Others };
}

export class RolloutStory {
  state: ServiceState;
  nowMs = 1_000_000_000;
  readonly nodes = new Map<string, StoryNode>();
  readonly waves = new Map<Region, Standing<Wave> & { readonly atMs: number }>();
  halt: { readonly revision: number; readonly order: Halt | undefined } = { revision: 0, order: undefined };
  /** Every wave that was ever stored, in order. */
  readonly history: { readonly revision: number; readonly wave: Wave }[] = [];
  readonly events: FleetEvent[] = [];
  /** Ids of the events that the present leader has told, each as often as he did. */
  tellings: string[] = [];
  readonly slots = new Map<string, { revision: number; holder: SlotHolder | undefined; atMs: number }>();
  readonly reports = new Map<
    string,
    { readonly report: NodeReport; readonly sequence: number; readonly atMs: number }
  >();
  /** What the registry answers; a text: its reason for not answering. */
  readonly images = new Map<
    string,
    Digest | { readonly reason: string; readonly retrying: boolean; readonly retryAfterMs?: number }
  >();
  /** What Prometheus answers; nothing: the question stays open. */
  prometheus: (question: GateQuestion) => GateAnswer | undefined = () => undefined;
  /** What Prometheus was asked, in order. */
  readonly questions: GateQuestion[] = [];
  /** Records that were saved, in order. */
  readonly saved: ServiceRecord[] = [];
  /** While held, effects are kept back as by a bus that does not answer. */
  held = false;
  readonly waiting: Effect[] = [];
  readonly #presences = new Map<NodeId, NodeSighting>();
  readonly #among: StoryOptions['among'];
  #policy: { readonly at: Place; readonly policy: Parsed<PolicyLayer> } | undefined;
  #sequence = 0;
  #lastRelease = 0;
  #revision = 0;

  constructor({ policy = QUICK, regions = { eu: 10 }, service = SERVICE, among }: StoryOptions = {}) {
    this.#among = among;
    this.state = newService(service);
    this.policy(policy);
    for (const [region, count] of Object.entries(regions)) this.join(region, count);
    this.post({ kind: 'bus-read' });
    // Everybody who is there has shown himself.
    this.tick(10_000);
  }

  get rollout(): Rollout {
    const { rollout } = this.state.record;
    if (rollout === undefined) throw new Error('there is no rollout');
    return rollout;
  }

  get phase(): string {
    return this.rollout.paused === undefined ? this.rollout.phase.name : 'paused';
  }

  wave(region: Region): Wave {
    const wave = this.waves.get(region)?.order;
    if (wave === undefined) throw new Error(`no wave stands in ${region}`);
    return wave;
  }

  told(name?: EventName): readonly FleetEvent[] {
    return this.events.filter((event) => name === undefined || event.name === name);
  }

  names(): readonly EventName[] {
    return this.events.map(({ name }) => name);
  }

  // What the core hears.

  /** Hands an event to the core, saves, and does what it orders. Returns what it ordered. */
  post(event: CoordinatorEvent): readonly Effect[] {
    const before = this.#among === undefined ? this.state : { ...this.state, others: this.#among.others };
    const next = step(deepFreeze(before), deepFreeze(event), this.nowMs);
    this.state = next.state;
    if (this.#among !== undefined) this.#among.others = withShown(this.#among.others, before, next.state);
    if (next.state.record !== before.record) this.saved.push(next.state.record);
    for (const effect of next.effects) {
      if (this.held) this.waiting.push(effect);
      else this.perform(effect);
    }
    return next.effects;
  }

  /** The bus answers again: everything that was held back is done. */
  letGo(): void {
    this.held = false;
    for (const effect of this.waiting.splice(0)) this.perform(effect);
  }

  tick(ms = 1_000): readonly Effect[] {
    this.nowMs += ms;
    return this.post({ kind: 'time-passed' });
  }

  /** Time passes; whoever is here shows himself every minute, and renews the slot that he holds. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 60_000) {
      this.nowMs += Math.min(left, 60_000);
      this.seeAll();
      this.#renewAll();
      this.post({ kind: 'time-passed' });
    }
  }

  #renewAll(): void {
    for (const { region, here, node, attempt } of this.nodes.values()) {
      const held = attempt === undefined ? undefined : this.slots.get(`${region}.${attempt.slot}`)?.holder;
      if (here && attempt !== undefined && held?.node === node) this.writeSlot(region, attempt.slot, held);
    }
  }

  policy(layer: PolicyLayer): void {
    this.writePolicy({ ok: true, value: layer });
  }

  /** Writes into the policy bucket, whatever it is; returns its revision. */
  writePolicy(policy: Parsed<PolicyLayer>): number {
    this.#sequence += 1;
    this.#policy = { at: this.#place(), policy };
    this.post({ kind: 'policy-written', ...this.#policy });
    return this.#sequence;
  }

  #place(): Place {
    return { sequence: this.#sequence, storedAtMs: this.nowMs };
  }

  /** Publishes a release of a tag; returns the number of its rollout. */
  publish(tag: string, intent: Partial<ReleaseIntent> = {}): number {
    this.#sequence += 1;
    const image = { repository: 'registry.example/web', tag };
    if (!this.images.has(tag)) this.images.set(tag, digestOf(tag));
    const release: ReleaseIntent = { image, overrides: {}, acceptHalted: false, ...intent };
    return this.#release({ ok: true, value: release });
  }

  #release(release: Parsed<ReleaseIntent>): number {
    const at = this.#place();
    this.#lastRelease = at.sequence;
    this.post({ kind: 'release-published', at, release });
    return at.sequence;
  }

  publishBad(...problems: readonly string[]): number {
    this.#sequence += 1;
    return this.#release({ ok: false, problems });
  }

  control(action: ControlIntent['action'], intent: object = {}): void {
    this.#sequence += 1;
    const control = { ok: true, value: { action, ...intent } as ControlIntent } as const;
    this.post({ kind: 'control-given', at: this.#place(), control });
  }

  report(id: string, status: NodeStatus, change: Partial<NodeReport> = {}): void {
    const { region, node } = this.node(id);
    this.#sequence += 1;
    const rollout = this.state.record.rollout?.release.rollout ?? 0;
    const report: NodeReport = {
      id: String(this.#sequence),
      region,
      node,
      service: this.state.service,
      rollout,
      status,
      ...change,
    };
    const heard = { report, sequence: this.#sequence, heardAtMs: this.nowMs };
    this.reports.set(id, { report, sequence: heard.sequence, atMs: this.nowMs });
    this.post({ kind: 'reports-read', reports: [heard] });
  }

  // The nodes.

  node(id: string): StoryNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** New nodes, named `<region>-<number>`, on v0. */
  join(region: Region, count: number, running = digestOf('v0')): void {
    const first = [...this.nodes.values()].filter((one) => one.region === region).length + 1;
    const joined = Array.from({ length: count }, (_, index): StoryNode => {
      const node = `${region}-${first + index}`;
      return { region, node, running, lastGood: running, behaviour: 'well', here: true, labels: [] };
    });
    for (const one of joined) this.nodes.set(one.node, one);
    this.see(joined);
  }

  /** Nodes are silent until their presence has expired. */
  leave(...ids: readonly string[]): void {
    for (const id of ids) {
      const node = this.node(id);
      node.here = false;
      this.#presences.delete(id);
      this.post({
        kind: 'nodes-seen',
        nodes: [{ region: node.region, node: id, seenAtMs: this.nowMs }],
      });
    }
  }

  comeBack(...ids: readonly string[]): void {
    for (const id of ids) this.node(id).here = true;
    this.see(ids.map((id) => this.node(id)));
  }

  behave(behaviour: Behaviour, ...ids: readonly string[]): void {
    for (const node of ids.length === 0 ? this.nodes.values() : ids.map((id) => this.node(id)))
      node.behaviour = behaviour;
  }

  /** Its operator labels nodes. */
  label(label: string, ...ids: readonly string[]): void {
    for (const id of ids) this.node(id).labels = [label];
    this.see(ids.map((id) => this.node(id)));
  }

  seeAll(): void {
    this.see([...this.nodes.values()].filter(({ here }) => here));
  }

  see(nodes: readonly StoryNode[]): void {
    const seen = nodes.map(({ region, node, running, labels }): NodeSighting => {
      const presence = { running, phase: 'idle', ready: true };
      return { region, node, seenAtMs: this.nowMs, presence, labels };
    });
    for (const sighting of seen) this.#presences.set(sighting.node, sighting);
    this.post({ kind: 'nodes-seen', nodes: seen });
  }

  /** Nodes in line, by the present rollout's seed. */
  line(region: Region): readonly StoryNode[] {
    const { seed } = this.rollout;
    return [...this.nodes.values()]
      .filter((one) => one.region === region)
      .sort((a, b) => rankOf(seed, a.node) - rankOf(seed, b.node));
  }

  /** Every node looks at its orders once and takes one step. Returns whether anything happened. */
  actOnce(): boolean {
    let acted = false;
    for (const node of this.nodes.values())
      if (node.here && node.behaviour !== 'silent') acted = act(node, this) || acted;
    return acted;
  }

  /** Nodes act, and time passes a little, until nobody has anything to do, or `until` says so. */
  act(until: () => boolean = () => false, rounds = 2_000): void {
    for (let round = 0; round < rounds && !until(); round += 1) {
      const acted = this.actOnce();
      this.tick(100);
      if (!acted && !this.actOnce()) return;
    }
  }

  digestIn(rollout: number): Digest | undefined {
    return this.history.findLast(({ wave }) => wave.release.rollout === rollout)?.wave.release.image.digest;
  }

  // The bus.

  writeSlot(region: Region, slot: number, holder: SlotHolder | undefined): number {
    this.#sequence += 1;
    const revision = this.#sequence;
    this.slots.set(`${region}.${slot}`, { revision, holder, atMs: this.nowMs });
    const entry = { revision, ...(holder !== undefined && { holder }) };
    this.post({ kind: 'slot-seen', region, slot, entry, heardAtMs: this.nowMs });
    return revision;
  }

  /** Somebody else writes a wave. */
  tamper(wave: Wave): { readonly effects: readonly Effect[]; readonly revision: number } {
    this.#revision += 1;
    const revision = this.#revision;
    this.waves.set(wave.region, { order: wave, revision, atMs: this.nowMs });
    return { effects: this.post({ kind: 'wave-seen', region: wave.region, revision, wave }), revision };
  }

  perform(effect: Effect): void {
    switch (effect.kind) {
      case 'publish-wave': {
        const { wave, expect } = effect;
        this.#expect(this.waves.get(wave.region)?.revision ?? 0, expect, wave.region);
        this.#revision += 1;
        const revision = this.#revision;
        this.waves.set(wave.region, { order: wave, revision, atMs: this.nowMs });
        this.history.push({ revision, wave });
        this.post({ kind: 'wave-stored', region: wave.region, revision, wave });
        return;
      }
      case 'publish-halt':
        this.#expect(this.halt.revision, effect.expect, 'halt');
        this.#revision += 1;
        this.halt = { revision: this.#revision, order: effect.halt };
        this.post({ kind: 'halt-stored', revision: this.#revision, halt: effect.halt });
        return;
      case 'clear-slot': {
        const { region, slot, expect } = effect;
        if (this.slots.get(`${region}.${slot}`)?.revision === expect) this.writeSlot(region, slot, undefined);
        return;
      }
      case 'publish-release': {
        const { publication } = effect.publishing;
        if (effect.expect !== this.#lastRelease) {
          this.post({ kind: 'release-overtaken', publication, last: this.#lastRelease });
          return;
        }
        this.#sequence += 1;
        this.#release(decode(encodeRelease(effect.publishing), releaseSchema));
        return;
      }
      case 'look-at-tag':
        this.show(effect.image);
        return;
      case 'tell':
        this.tellings.push(effect.event.id);
        if (!this.events.some(({ id }) => id === effect.event.id)) this.events.push(effect.event);
        this.post({ kind: 'event-stored', id: effect.event.id });
        return;
      case 'resolve-image':
        if ('parts' in effect.image) this.#answerUnit(effect.rollout, effect.image.parts);
        else if (effect.image.digest !== undefined)
          this.post({ kind: 'image-resolved', rollout: effect.rollout, digest: effect.image.digest });
        else this.answer(effect.rollout, effect.image.tag ?? '');
        return;
      case 'ask-gate': {
        this.questions.push(effect);
        const answer = this.prometheus(effect);
        if (answer !== undefined) this.post({ kind: 'gate-answered', asking: effect.asking, answer });
      }
    }
  }

  /** The registry's answer for a tag; none where it is to be late. */
  answer(rollout: number, tag: string): void {
    const answer = this.images.get(tag);
    if (answer === undefined) return;
    if (typeof answer === 'string') this.post({ kind: 'image-resolved', rollout, digest: answer });
    else this.post({ kind: 'image-not-resolved', rollout, ...answer });
  }

  /** What the registry shows of a tag; nothing where it is to be late. */
  show(image: TagReference): void {
    const answer = this.images.get(image.tag);
    if (answer === undefined) return;
    if (typeof answer === 'string') this.post({ kind: 'tag-seen', image, digest: answer });
    else this.post({ kind: 'tag-not-seen', image, ...answer });
  }

  /** Like its performer: all of them, or the first that is wrong. */
  #answerUnit(rollout: number, images: ByPart<ImageReference>): void {
    const parts: Record<PartName, Digest> = {};
    for (const [part, { tag = '' }] of Object.entries(images)) {
      const answer = this.images.get(tag);
      if (typeof answer !== 'string') return this.answer(rollout, tag);
      parts[part] = answer;
    }
    this.post({ kind: 'image-resolved', rollout, digest: unitDigest(parts), parts });
  }

  #expect(standing: number, expected: number, key: string): void {
    if (standing !== expected)
      throw new Error(`${key}: revision ${standing} stands, ${expected} was expected`);
  }

  /**
   * Another coordinator goes on with what was saved, and with what the bus holds. Of presence that may be nothing: it lies
   * in memory, and then only those who are here show themselves.
   */
  restart(presence: 'kept' | 'forgotten' = 'kept'): void {
    this.waiting.length = 0;
    this.tellings = [];
    this.state = newService(this.state.service, roundTripped(this.state.record));
    if (this.#policy !== undefined) this.post({ kind: 'policy-written', ...this.#policy });
    for (const [region, { order, revision }] of this.waves)
      this.post({ kind: 'wave-seen', region, revision, wave: order });
    const { revision, order } = this.halt;
    if (revision > 0) this.post({ kind: 'halt-seen', revision, halt: order });
    for (const [key, { revision: written, holder }] of this.slots) {
      const [region = '', slot] = key.split('.');
      const entry = { revision: written, ...(holder !== undefined && { holder }) };
      this.post({ kind: 'slot-seen', region, slot: Number(slot), entry, heardAtMs: this.nowMs });
    }
    if (presence === 'kept') this.post({ kind: 'nodes-seen', nodes: [...this.#presences.values()] });
    else this.seeAll();
    const reports = [...this.reports.values()].map(({ report, sequence }) => ({
      report,
      sequence,
      heardAtMs: this.nowMs,
    }));
    this.post({ kind: 'reports-read', reports });
    this.post({ kind: 'bus-read' });
  }
}

/** A record as the next leader reads it. */
export function roundTripped(record: ServiceRecord): ServiceRecord {
  const read = decode(encode(record), serviceRecordSchema, RECORD_BYTES_MAX);
  if (!read.ok) throw new Error(`the record does not parse: ${read.problems.join('; ')}`);
  return read.value;
}

export const EMPTY = emptyRecord(SERVICE);
