/**
 * {@link DockerEngine} for an agent that is a service of its own node. For all other services it is that engine; of its own
 * service it swaps the container by handing the node's lease to the next one (`self-plan.ts`), and while that is under way it
 * swaps no other, nor the other way round.
 */

import type { Probe } from '@swell/shared/domain/health.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import type { ReleaseImage } from '@swell/shared/domain/unit.ts';
import type { Leave, Observation, ProbeOutcome, SwapOrder } from '../../../core/container.ts';
import type { StandbyWord } from '../../../protocol/node-lease.ts';
import { type Engine, EngineError } from '../../engine.ts';
import type { DockerEngine } from '../docker-engine.ts';
import type { Dockerd } from '../dockerd.ts';
import { digestsOf } from '../images/images.ts';
import { plainName } from '../inspected.ts';
import type { Part, Swap } from '../marks.ts';
import { dependentsOn } from '../spec/obstacles.ts';
import type { Guarding } from '../swap/guard.ts';
import type { MemberSwap } from '../swap/members.ts';
import { findTarget } from '../swap/prepare.ts';
import { ownObstacleIn, STANDBY_LABEL, STANDBY_VERSION } from './self-obstacles.ts';
import {
  nextOwnStep,
  type OwnIntent,
  type OwnStep,
  ownPair,
  ownProgress,
  type Side,
  sideOf,
} from './self-plan.ts';

/** A new agent that could not take over by then has failed. */
const PROOF_MAX_MS = 120_000;

/** The agent's own container, and the service that its label names. */
export interface Own {
  readonly id: string;
  readonly service: ServiceName;
}

export interface SelfEngineOptions {
  /** Of the other services, and of all that is not special. */
  readonly engine: Engine & Pick<DockerEngine, 'look' | 'perform'>;
  readonly dockerd: Dockerd;
  readonly own: Own;
  readonly stateDir: string;
  readonly acting: Acting;
  readonly monotonicMs: () => number;
}

/** What an agent knows that acts on its node. */
export interface Acting extends Guarding {
  /** Names the container whose agent acts from then on. */
  handOver(container: string): Promise<void>;
  standbyWord(container: string): Promise<StandbyWord | undefined>;
  forgetStandbyWord(container: string): Promise<void>;
  /** Whether the bus can be reached from here: where it cannot, nobody else need prove that he can. */
  isOnBus(): boolean;
  /** The services that something has begun with, whether or not Docker shows it. */
  inTheMiddle(): readonly ServiceName[];
}

export class SelfEngine implements Engine {
  readonly kind = 'docker';
  readonly #options: SelfEngineOptions;
  /** Two swaps are never begun at once, of whichever services. */
  #beginning: Promise<void> = Promise.resolve();
  /** The new agent that is waited for, and since when. */
  #awaited: { readonly id: string; readonly sinceMs: number } | undefined;

  constructor(options: SelfEngineOptions) {
    this.#options = options;
  }

  services(): Promise<readonly ServiceName[]> {
    return this.#options.engine.services();
  }

  async observe(service: ServiceName): Promise<Observation> {
    const { engine, dockerd, own } = this.#options;
    const seen = await engine.observe(service);
    if (service !== own.service) return seen;
    const found = await engine.look(service);
    if (found.kind === 'settled' && seen.obstacle === undefined) {
      const obstacle = await this.#obstacle(found.parts);
      return obstacle === undefined ? seen : { ...seen, obstacle: `the agent ${obstacle}` };
    }
    const swap = ownPair(found, own.id);
    const side = swap && sideOf(swap, own.id);
    if (swap === undefined || side === undefined || seen.swap === undefined) return seen;
    const progress = ownProgress(swap, side);
    const leading = progress === 'prepared' ? (swap.old ?? swap.fresh) : (swap.fresh ?? swap.old);
    const image = leading && (await dockerd.image(leading.imageId));
    return {
      ...seen,
      swap: { ...seen.swap, progress },
      digests: image === undefined ? [] : digestsOf(image),
    };
  }

  stageImage(image: ReleaseImage, signal: AbortSignal, service?: ServiceName): Promise<void> {
    return this.#options.engine.stageImage(image, signal, service);
  }

  cleanImages(service: ServiceName, wanted?: readonly Digest[]): Promise<readonly string[]> {
    return this.#options.engine.cleanImages(service, wanted);
  }

  /** The marks of a begun swap are what another one waits by, also after a restart. */
  async prepareSwap(order: SwapOrder): Promise<void> {
    const before = this.#beginning;
    const turn = this.#prepareAfter(before, order);
    this.#beginning = turn.catch(() => {});
    await turn;
  }

  /** Two agents run side by side for a while in any case; only one of them acts. */
  async startBeside(service: ServiceName): Promise<boolean> {
    return service !== this.#options.own.service && this.#options.engine.startBeside(service);
  }

  async cutOver(service: ServiceName, left?: number): Promise<number> {
    const goesOn = await this.#leavesToEngine(service, 'cut-over');
    return goesOn ? this.#options.engine.cutOver(service, left) : 0;
  }

  async commitSwap(service: ServiceName): Promise<void> {
    if (await this.#leavesToEngine(service, 'commit')) await this.#options.engine.commitSwap(service);
  }

  async undoSwap(service: ServiceName): Promise<void> {
    if (await this.#leavesToEngine(service, 'undo')) await this.#options.engine.undoSwap(service);
  }

  probe(service: ServiceName, probe: Probe, timeoutMs: number): Promise<ProbeOutcome> {
    return this.#options.engine.probe(service, probe, timeoutMs);
  }

  askLeave(service: ServiceName): Promise<Leave> {
    return this.#options.engine.askLeave(service);
  }

  confirm(service: ServiceName): Promise<string | undefined> {
    return this.#options.engine.confirm(service);
  }

  countInFlight(service: ServiceName, inFlight: InFlight, timeoutMs: number): Promise<number | undefined> {
    return this.#options.engine.countInFlight(service, inFlight, timeoutMs);
  }

  changes(): AsyncIterable<ServiceName> {
    return this.#options.engine.changes();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.engine[Symbol.asyncDispose]();
  }

  /** Why the agent's own container, which nothing is being done to, cannot be swapped. */
  async #obstacle(parts: readonly Part[]): Promise<string | undefined> {
    const { dockerd, own, stateDir } = this.#options;
    if (parts.length > 1) return 'has several containers: one acts on a node';
    const container = parts[0]?.id === own.id ? await dockerd.container(own.id) : undefined;
    return container && ownObstacleIn(container, stateDir);
  }

  async #prepareAfter(before: Promise<void>, order: SwapOrder): Promise<void> {
    await before;
    if (order.service === this.#options.own.service) await this.#mayBeginOwn(order);
    else await this.#mayBegin();
    await this.#options.engine.prepareSwap(order);
  }

  /** The agent comes last: it waits until no other swap is under way. */
  async #mayBeginOwn({ target, service, irreversible }: SwapOrder): Promise<void> {
    if (irreversible === true)
      throw new EngineError(
        'not-carried',
        'the agent stands by to take back its own update: that can be undone',
      );
    const { engine, dockerd, own, acting } = this.#options;
    const busy = new Set(acting.inTheMiddle());
    for (const other of await engine.services()) {
      if (other === service) continue;
      if (busy.has(other) || (await engine.look(other)).kind === 'swap')
        throw new EngineError('unavailable', `the agent comes last: ${other} is being updated`);
    }
    const container = await dockerd.container(own.id);
    if (container === undefined) return;
    const [tenant] = dependentsOn(container, await dockerd.everyContainer());
    if (tenant !== undefined)
      throw new EngineError('not-carried', `${plainName(tenant.Name)} lives in the agent's namespaces`);
    const { config, reference } = await findTarget(dockerd, target, [container]);
    if (config.Labels?.[STANDBY_LABEL] !== STANDBY_VERSION) {
      throw new EngineError(
        'not-carried',
        `${reference} is no agent that can stand by: its image has no label ${STANDBY_LABEL}=${STANDBY_VERSION}`,
      );
    }
  }

  async #mayBegin(): Promise<void> {
    const { engine, own } = this.#options;
    if (ownPair(await engine.look(own.service), own.id) !== undefined)
      throw new EngineError('unavailable', 'the agent itself is being updated');
  }

  /** Does all that is special of an own swap; true where the engine is to do the rest, or all of it. */
  async #leavesToEngine(service: ServiceName, intent: OwnIntent): Promise<boolean> {
    if (service !== this.#options.own.service) return true;
    const { engine, own, acting } = this.#options;
    const performed = new Set<OwnStep['step']>();
    for (;;) {
      const found = await engine.look(service);
      const swap = ownPair(found, own.id);
      const side = swap && sideOf(swap, own.id);
      if (found.kind !== 'swap' || swap === undefined || side === undefined) return true;
      const step = await this.#next(swap, side, intent, performed.has('move-reference'));
      if (step === undefined) {
        if (intent === 'undo' && swap.fresh !== undefined) await acting.forgetStandbyWord(swap.fresh.id);
        return intent !== 'cut-over';
      }
      if (performed.has(step.step)) throw new EngineError('unavailable', `${step.step} did not last`);
      await acting.assertHeld();
      await this.#perform(step, found);
      performed.add(step.step);
    }
  }

  async #next(swap: Swap, side: Side, intent: OwnIntent, moved: boolean): Promise<OwnStep | undefined> {
    const { fresh } = swap;
    const isAsked = side === 'old' && fresh !== undefined;
    const word = isAsked ? await this.#options.acting.standbyWord(fresh.id) : undefined;
    if (isAsked && fresh.started && intent === 'cut-over' && word?.ready !== true)
      this.#awaitNoLonger(fresh.id, word);
    return nextOwnStep(swap, side, intent, { word, moved });
  }

  /** Throws once it has had its time. Nobody's time runs while the bus is away. */
  #awaitNoLonger(id: string, word: StandbyWord | undefined): void {
    const nowMs = this.#options.monotonicMs();
    if (this.#awaited?.id !== id || !this.#options.acting.isOnBus()) this.#awaited = { id, sinceMs: nowMs };
    if (nowMs - this.#awaited.sinceMs <= PROOF_MAX_MS) return;
    const why = word?.ready === false ? word.why : 'it has said nothing';
    throw new EngineError('start-failed', `the new agent could not take over: ${why}`);
  }

  /** All but the handing over are steps like those of any swap. */
  async #perform(step: OwnStep, found: MemberSwap): Promise<void> {
    const { engine, own, acting } = this.#options;
    if (step.step === 'hand-over') {
      await acting.handOver(step.to.id);
      throw new EngineError('unavailable', 'the other agent acts from here on');
    }
    // What it said before it ended last counts no more.
    if (step.step === 'start-new') await acting.forgetStandbyWord(step.fresh.id);
    await engine.perform(own.service, step, found);
  }
}
