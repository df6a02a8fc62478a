/**
 * What really is of one service, and the rules as far as only that shows them: who is out of rotation and by what slot, which orders
 * stood when, what each agent had heard, what runs where. Programs may believe what they like. It is told of everything
 * at the instant, by the bus, the machines and the agents' own steps, and judges there.
 */

import type { AgentEvent } from '@swell/agent/core/events.ts';
import type { ServiceState } from '@swell/agent/core/state.ts';
import { rotationOf } from '@swell/agent/core/traffic.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId, ServiceName } from '@swell/shared/domain/names.ts';
import { isResult } from '@swell/shared/domain/report.ts';
import type { ByPart } from '@swell/shared/domain/unit.ts';
import type { Bench, Concern, TrueViolation } from './judge/bench.ts';
import { Containers } from './judge/containers.ts';
import { HeardHalts } from './judge/heard-halts.ts';
import { Images } from './judge/images.ts';
import { Operators } from './judge/operators.ts';
import { Orders } from './judge/orders.ts';
import { type SlotSeen, Slots, type TrueTenure } from './judge/slots.ts';
import { type Start, Starts, startOf } from './judge/start.ts';
import { Unavailable } from './judge/unavailable.ts';
import { type Released, Units } from './judge/units.ts';
import { type CalmSince, WayBack } from './judge/way-back.ts';
import type { NodeModel } from './node-model.ts';
import type { VirtualTime } from './time.ts';

export class Truth {
  readonly bench: Bench;
  /** Times that a node has gone out for another image. */
  updates = 0;
  readonly #orders = new Orders();
  readonly #slots = new Slots();
  readonly #starts: Starts;
  readonly #halts: HeardHalts;
  readonly #unavailable: Unavailable;
  readonly #containers: Containers;
  readonly #wayBack: WayBack;
  readonly #images: Images;
  readonly #operators: Operators;
  readonly #units: Units;
  /** Nodes that send their traffic away, and still serve. */
  readonly #draining = new Set<NodeId>();
  /** The attempt that each node has begun last. */
  readonly #begun = new Map<NodeId, Start>();

  constructor(
    bench: Bench,
    time: VirtualTime,
    service: ServiceName,
    calmSince: CalmSince,
    released: Released = () => undefined,
  ) {
    this.bench = bench;
    this.#starts = new Starts(this.bench, this.#orders, this.#slots);
    this.#halts = new HeardHalts(this.bench);
    this.#unavailable = new Unavailable(this.bench);
    this.#containers = new Containers(this.bench, this.#orders, service);
    this.#wayBack = new WayBack(this.bench, time, service, calmSince);
    this.#images = new Images(this.bench, service, calmSince);
    this.#operators = new Operators(this.bench);
    this.#units = new Units(this.bench, service, released);
  }

  get violations(): readonly TrueViolation[] {
    return this.bench.violations;
  }

  get mostOut(): number {
    return this.#unavailable.mostOut;
  }

  break(rule: TrueViolation['rule'], message: string, concern: Concern = {}): void {
    this.bench.break(rule, message, concern);
  }

  // What the bus stores.

  stored(entry: LogEntry): void {
    switch (entry.kind) {
      case 'wave': {
        const { region, slots } = entry.wave;
        this.#orders.see(entry);
        return this.#unavailable.limit(region, slots, this.#slots.held(region));
      }
      case 'halt':
        return this.#orders.see(entry);
      case 'slot':
        return this.#seeSlot(entry);
      default:
    }
  }

  /** Of orders and slots these stand now, and nothing else. */
  restart(standing: readonly LogEntry[]): void {
    const orders = standing.filter((entry) => entry.kind === 'wave' || entry.kind === 'halt');
    const slots = standing.filter((entry) => entry.kind === 'slot');
    this.#orders.restart(orders, this.bench.nowMs);
    this.#slots.restart(slots);
    for (const entry of orders) {
      if (entry.kind !== 'wave') continue;
      const { region, slots: limit } = entry.wave;
      this.#unavailable.limit(region, limit, this.#slots.held(region));
    }
  }

  #seeSlot(entry: SlotSeen): void {
    this.#slots.see(entry);
    this.#unavailable.freed(entry.region, this.#slots.held(entry.region));
  }

  // What agents do.

  agentBegins(model: NodeModel): void {
    this.#halts.starts(model.name);
    this.#images.forget(model);
  }

  /** Returns the attempt that began with it, if one did. */
  agentHandled(
    model: NodeModel,
    event: AgentEvent,
    before: ServiceState,
    after: ServiceState,
  ): Start | undefined {
    if (event.kind === 'pulse-heard' && after.pulse !== before.pulse) this.#starts.heardPulse(model.name);
    if (after.halt !== before.halt) this.#halts.hears(model.name, after.halt);
    this.#images.handled(model, event, after);
    if (after.phase === before.phase && after.journal === before.journal) return undefined;
    const start = startOf(before, after, this.bench.nowMs);
    if (start !== undefined) {
      this.#begun.set(model.name, start);
      this.#starts.judge(start);
      this.#operators.judgeStart(start, this.#tenureOf(start));
    }
    this.#seeRotation(model, after);
    this.#seeEnd(model, before, after);
    return start;
  }

  /** I1. Who sends his traffic away is out, whether or not his container runs. */
  #seeRotation(model: NodeModel, after: ServiceState): void {
    const { region, name } = model;
    const { is } = rotationOf(after, this.bench.nowMs);
    const start = this.#begun.get(name);
    if (is === 'draining' && start !== undefined && !this.#draining.has(name)) {
      this.#draining.add(name);
      this.#unavailable.wentOut(region, name, this.#tenureOf(start));
    } else if (is === 'in' && this.#draining.delete(name)) {
      this.#unavailable.cameBack(region, name);
    }
  }

  #tenureOf({ node, attempt, slot }: Start): TrueTenure | undefined {
    return this.#slots.of({ node, attempt: attempt.id }, slot);
  }

  #seeEnd(model: NodeModel, { journal: before }: ServiceState, { journal: after }: ServiceState): void {
    const { attempt } = before;
    if (attempt === undefined || after.attempt?.id === attempt.id) return;
    const last = after.outbox.findLast((report) => report.attempt === attempt.id && isResult(report.status));
    if (last === undefined || !isResult(last.status)) return;
    this.#containers.ended(model, attempt, last.status);
    this.#units.ended(model, attempt, last.status);
  }

  // What happens on machines.

  /** @param isCaught stopped after its last look: no program can know then what has become of its slot, or was said since */
  wentOut(model: NodeModel, attempt: string, isCaught = false): void {
    const start = this.#begun.get(model.name);
    if (start?.attempt.id !== attempt) {
      const { region, name: node } = model;
      return this.break('I2', `${node} cuts over in attempt ${attempt}, which it has not begun`, {
        region,
        node,
      });
    }
    if (this.#wayBack.isOut(model, attempt)) return;
    this.updates += 1;
    this.#draining.delete(model.name);
    this.#unavailable.wentOut(model.region, model.name, this.#tenureOf(start));
    // Whoever goes on just now does what it had decided; what it hears in the same instant comes after.
    if (!isCaught) {
      this.#starts.judgeCutOver(start);
      this.#halts.judgeCutOver(start);
    }
    this.#operators.judgeCutOver(start);
    this.#containers.cutOver(model, start);
    this.#units.cutOver(model, start);
    this.#wayBack.wentOut(model, start);
  }

  cameBack(model: NodeModel): void {
    this.#unavailable.cameBack(model.region, model.name);
    this.#wayBack.cameBack(model);
  }

  /** The engine begins a piece of work that will take so long. */
  works(model: NodeModel, work: string, ms: number): void {
    this.#wayBack.works(model, work, ms);
  }

  /** Its engine took these images away, as nobody's. */
  cleaned(model: NodeModel, removed: readonly Digest[]): void {
    this.#images.cleaned(model, removed);
  }

  operatorSays(model: NodeModel): void {
    this.#operators.says(model);
  }

  operatorIsSilent(model: NodeModel): void {
    this.#operators.isSilent(model);
  }

  operatorStops(model: NodeModel): void {
    this.#operators.stops(model);
  }

  operatorStarts(model: NodeModel): void {
    this.#operators.starts(model);
  }

  /** Its journal is gone, or another one. */
  forgets(model: NodeModel): void {
    this.#starts.forget(model.name);
    this.#wayBack.forgets(model);
    this.#containers.forgets(model);
  }

  /** Somebody put another container there, or none: what is out from now on is not by our doing. */
  changedByHand(model: NodeModel): void {
    this.#draining.delete(model.name);
    this.#unavailable.cameBack(model.region, model.name);
    this.#operators.starts(model);
    this.#containers.byHand(model);
    this.#images.forget(model);
    this.#wayBack.forget(model);
  }

  /** Do the wave and the slot by which an attempt began still stand in what the bus remembers? */
  isRemembered({ region, wave, slot, attempt, node, atMs }: Start): boolean {
    const stood = this.#orders.waveBetween(region, wave, atMs, atMs);
    return stood !== undefined && this.#slots.of({ node, attempt: attempt.id }, slot)?.ended !== 'forgotten';
  }

  /**
   * Everything has healed, and nothing more is to come.
   *
   * @param last what the last release brought, of a unit
   */
  atRest(models: readonly NodeModel[], last?: ByPart<Digest>): void {
    for (const model of models) {
      this.#containers.atRest(model);
      if (last !== undefined) this.#units.atRest(model, last);
    }
  }
}
