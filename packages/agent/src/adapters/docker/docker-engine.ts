/**
 * {@link Engine} on dockerd. It remembers nothing: what it says and does follows from the containers and their marks,
 * so that a fresh one takes up what another one left.
 */

import type { Probe } from '@swell/shared/domain/health.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import { isName, type ServiceName } from '@swell/shared/domain/names.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import { imagesOf, type ReleaseImage } from '@swell/shared/domain/unit.ts';
import type Docker from 'dockerode';
import type { Leave, Observation, ProbeOutcome, SwapOrder } from '../../core/container.ts';
import { type Engine, EngineError } from '../engine.ts';
import { within } from '../probe.ts';
import { Dockerd } from './dockerd.ts';
import { cleanImages, type Holding, placeOf } from './images/brought.ts';
import { diskOfImages } from './images/disk.ts';
import { dockerConfigAuth, type RegistryAuthSource } from './images/registry-auth.ts';
import { askRetryAfter } from './images/retry-after.ts';
import { type Disk, type DiskReserve, Room } from './images/room.ts';
import { type Recipient, type Supply, stageImage } from './images/stage.ts';
import { type InspectedContainer, ownStopTimeoutMs } from './inspected.ts';
import { isPastReturn, type Part, readPart } from './marks.ts';
import { ALONG_LABEL, SERVICE_LABEL } from './memo.ts';
import { canRunTwice } from './spec/obstacles.ts';
import { dueDependents } from './swap/dependents.ts';
import { type Drafting, prepareSwap } from './swap/drafts.ts';
import {
  type Found,
  type MemberSwap,
  membersLeft,
  presentParts,
  probedParts,
  readMembers,
} from './swap/members.ts';
import { attainable, type Step } from './swap/plan.ts';
import { type Aim, type OnStep, perform, runSwap, type SwapRun } from './swap/swap.ts';
import { Asking } from './watch/asking.ts';
import { serviceChanges } from './watch/events.ts';
import { observation } from './watch/observing.ts';

/** Only containers that bear this label are the agent's: of its own Compose project, or of a named stack. */
export interface Scope {
  readonly label: string;
  readonly value: string;
}

export const COMPOSE_PROJECT_LABEL = 'com.docker.compose.project';
export const STACK_LABEL = 'swell.stack';

/** As {@link OnStep}, for whichever service. */
export type OnServiceStep = (...step: [...Parameters<OnStep>, ServiceName]) => void | Promise<void>;

export interface DockerEngineOptions {
  readonly docker: Docker;
  /** Missing: every container of this dockerd that bears a service's label. */
  readonly scope?: Scope;
  /** The id of the container that the agent lives in: it is never stopped for the sake of another one. */
  readonly ownContainer?: string;
  /** Missing: what `docker login` has stored. */
  readonly auth?: RegistryAuthSource;
  readonly onStep?: OnServiceStep;
  /** What a pull leaves of the disk; missing: whatever is left. */
  readonly diskReserve?: DiskReserve;
  /** Missing: what can be seen of the disk of this dockerd. */
  readonly disk?: () => Promise<Disk | undefined>;
  /** Told of what an operator ought to know, once. */
  readonly onConcern?: (concern: string) => void;
}

export class DockerEngine implements Engine {
  readonly kind = 'docker';
  readonly #docker: Docker;
  readonly #dockerd: Dockerd;
  readonly #scope: Scope | undefined;
  readonly #ownContainer: string | undefined;
  readonly #asking: Asking;
  readonly #supply: Supply;
  readonly #onStep: OnServiceStep;
  readonly #disposed = new AbortController();
  /** What is being done to a service: one thing at a time. */
  readonly #turns = new Map<ServiceName, Promise<void>>();

  /** Services for which an image is being brought here: nothing of theirs is cleaned meanwhile. */
  readonly #staging = new Map<ServiceName, number>();

  constructor(options: DockerEngineOptions) {
    const { docker, scope, auth = dockerConfigAuth(), onStep = () => {} } = options;
    const dockerd = new Dockerd(docker);
    this.#docker = docker;
    this.#dockerd = dockerd;
    this.#asking = new Asking(docker, dockerd);
    this.#scope = scope;
    this.#ownContainer = options.ownContainer;
    this.#supply = { docker, dockerd, auth, retryAfter: askRetryAfter(auth), room: roomOf(options, dockerd) };
    this.#onStep = onStep;
  }

  async services(): Promise<readonly ServiceName[]> {
    const containers = await this.#dockerd.list(this.#labels(SERVICE_LABEL));
    const names = containers.filter(isLasting).map(({ labels }) => labels[SERVICE_LABEL] ?? '');
    return [...new Set(names.filter(isName))].sort();
  }

  async observe(service: ServiceName): Promise<Observation> {
    const found = await this.#look(service);
    const containers = await this.#dockerd.containers(idsOf(presentParts(found)));
    return observation(found, containers, { dockerd: this.#dockerd, asking: this.#asking });
  }

  async stageImage(image: ReleaseImage, signal: AbortSignal, service?: ServiceName): Promise<void> {
    if (service === undefined) return this.#stageAll(image, undefined, signal);
    this.#staging.set(service, (this.#staging.get(service) ?? 0) + 1);
    try {
      // What is being cleaned just now may be this very image.
      await this.#turns.get(service);
      await this.#stageAll(image, await this.#recipient(service), signal);
    } finally {
      const left = (this.#staging.get(service) ?? 1) - 1;
      if (left > 0) this.#staging.set(service, left);
      else this.#staging.delete(service);
    }
  }

  async cleanImages(service: ServiceName, wanted?: readonly Digest[]): Promise<readonly string[]> {
    let gone: readonly string[] = [];
    await this.#inTurn(service, async () => {
      if (this.#staging.has(service)) return;
      // Without a container nobody tells any more what its service goes back to; it may come back.
      if ((await this.#look(service)).kind === 'absent') return;
      gone = await cleanImages(this.#holding(service), wanted);
    });
    return gone;
  }

  /** What there is of a service, as the marks tell it. */
  look(service: ServiceName): Promise<Found> {
    return this.#look(service);
  }

  /** One step of a swap, for whoever plans it himself. */
  perform(service: ServiceName, step: Step, found: MemberSwap): Promise<void> {
    return perform(this.#swapRun(service), step, found);
  }

  prepareSwap(order: SwapOrder): Promise<void> {
    const { service } = order;
    const drafting: Drafting = {
      ...this.#swapRun(service),
      run: (aim) => this.#run(service, aim),
      objection: (container) => this.#objection(container),
    };
    return this.#inTurn(service, () => prepareSwap(drafting, order));
  }

  async startBeside(service: ServiceName): Promise<boolean> {
    let isBeside = false;
    await this.#inTurn(service, async () => {
      const found = await this.#look(service);
      if (found.kind !== 'swap') throw new EngineError('no-container', 'no swap was prepared');
      const [next] = membersLeft(found);
      const old = next?.[0].old && (await this.#dockerd.container(next[0].old.id));
      // Who lives in its namespaces would have to run twice, too.
      isBeside = next?.length === 1 && old !== undefined && canRunTwice(old);
      if (isBeside) await this.#run(service, 'beside');
    });
    return isBeside;
  }

  async cutOver(service: ServiceName, left = Number.POSITIVE_INFINITY): Promise<number> {
    let others = 0;
    await this.#inTurn(service, async () => {
      const found = await this.#look(service);
      if (found.kind !== 'swap') throw new EngineError('no-container', 'no swap was prepared');
      await this.#run(service, { left });
      const over = await this.#look(service);
      others = over.kind === 'swap' ? membersLeft(over).length : 0;
    });
    return others;
  }

  commitSwap(service: ServiceName): Promise<void> {
    return this.#inTurn(service, () => this.#end(service, 'commit'));
  }

  undoSwap(service: ServiceName): Promise<void> {
    return this.#inTurn(service, () => this.#end(service, 'undo'));
  }

  async probe(service: ServiceName, probe: Probe, timeoutMs: number): Promise<ProbeOutcome> {
    let isFound = false;
    const answer = async (): Promise<ProbeOutcome> => {
      const probed = probedParts(await this.#look(service)).map(async ({ part, marked }) => ({
        container: await this.#dockerd.container(part.id),
        marked,
      }));
      const all = await Promise.all(probed);
      isFound = true;
      return this.#asking.probe(all, probe, timeoutMs);
    };
    const asked = answer().catch((error: unknown) => ({
      healthy: false,
      seen: error instanceof Error ? error.message : String(error),
    }));
    const outcome = await within(asked, timeoutMs, service, () => {});
    return isFound ? outcome : { ...outcome, unasked: true };
  }

  async askLeave(service: ServiceName): Promise<Leave> {
    return this.#asking.leave(await this.#present(service));
  }

  async confirm(service: ServiceName): Promise<string | undefined> {
    return this.#asking.confirm(await this.#present(service));
  }

  async countInFlight(
    service: ServiceName,
    inFlight: InFlight,
    timeoutMs: number,
  ): Promise<number | undefined> {
    try {
      return await this.#asking.countInFlight(await this.#present(service), inFlight, timeoutMs);
    } catch (error) {
      if (error instanceof EngineError) return undefined;
      throw error;
    }
  }

  changes(): AsyncIterable<ServiceName> {
    const labels = this.#labels(SERVICE_LABEL);
    return serviceChanges(this.#docker, labels, () => this.services(), this.#disposed.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    await Promise.allSettled(this.#turns.values());
  }

  /** Where somebody took a container away, the other one stays; that is said once, for the next call finds no swap. */
  async #end(service: ServiceName, wanted: 'commit' | 'undo'): Promise<void> {
    const found = await this.#look(service);
    if (found.kind !== 'swap') return;
    if (wanted === 'undo' && found.members.flat().some(isPastReturn))
      throw new EngineError('irreversible', 'its new container has been started, and cannot be undone');
    const isMissed = found.members.flat().some((pair) => attainable(pair, wanted) !== wanted);
    // While the marks still say that something is to be done.
    if (wanted === 'commit') await this.#restartDependents(found);
    await this.#run(service, wanted);
    if (!isMissed) return;
    const missing =
      wanted === 'commit' ? 'the new container was removed' : 'there is no old container to go back to';
    throw new EngineError('no-container', `${missing}; the other one stays`);
  }

  async #restartDependents({ members }: MemberSwap): Promise<void> {
    const ids = members.flatMap(([{ fresh }]) => (fresh?.up === true ? fresh.id : []));
    const all = await this.#dockerd.everyContainer();
    const fresh = all.filter(({ Id }) => ids.includes(Id));
    for (const dependent of dueDependents(fresh, all)) {
      if (this.#objection(dependent) !== undefined) continue;
      // One that cannot be started any more is its own operator's concern: the service is well.
      await this.#dockerd
        .restart(dependent.Id, ownStopTimeoutMs(dependent.Config))
        .catch((error: unknown) => {
          if (!(error instanceof EngineError) || error.code !== 'start-failed') throw error;
        });
    }
  }

  async #stageAll(image: ReleaseImage, recipient: Recipient | undefined, signal: AbortSignal): Promise<void> {
    for (const one of imagesOf(image)) await stageImage(this.#supply, one, recipient, signal);
  }

  #holding(service: ServiceName): Holding {
    return { dockerd: this.#dockerd, place: placeOf(service, this.#scope?.value) };
  }

  async #recipient(service: ServiceName): Promise<Recipient> {
    const [container] = await this.#present(service);
    const running = container && (await this.#dockerd.image(container.Image));
    return { holding: this.#holding(service), running };
  }

  /** The containers that stand for the service now. */
  async #present(service: ServiceName): Promise<readonly InspectedContainer[]> {
    return this.#dockerd.containers(idsOf(presentParts(await this.#look(service))));
  }

  async #look(service: ServiceName): Promise<Found> {
    const [own, along] = await Promise.all([
      this.#parts(this.#labels(`${SERVICE_LABEL}=${service}`)),
      this.#parts(this.#labels(`${ALONG_LABEL}=${service}`)),
    ]);
    // Those that go along, as they were: whose new container is gone is known by the memo of the one that he lived in.
    const known = new Set(along.map(({ id }) => id));
    const olds = [...own, ...along].flatMap(({ memo }) => [
      ...(memo?.tenants ?? []),
      ...(memo?.along?.service === service ? [memo.replaces] : []),
    ]);
    const missing = [...new Set(olds)].filter((id) => !known.has(id));
    const more = await this.#dockerd.containers(missing);
    return readMembers(service, own, [...along, ...more.map(readPart)]);
  }

  async #parts(labels: readonly string[]): Promise<readonly Part[]> {
    const lasting = (await this.#dockerd.list(labels)).filter(isLasting);
    return (await this.#dockerd.containers(idsOf(lasting))).map(readPart);
  }

  #run(service: ServiceName, aim: Aim): Promise<void> {
    return runSwap(this.#swapRun(service), aim);
  }

  #swapRun(service: ServiceName): SwapRun {
    return {
      dockerd: this.#dockerd,
      place: this.#holding(service).place,
      onStep: (...step) => this.#onStep(...step, service),
      look: () => this.#look(service),
    };
  }

  /** Why a container that lives in a service's namespaces is not ours to make anew. */
  #objection({ Id, Config: { Labels: labels } }: InspectedContainer): string | undefined {
    if (Id === this.#ownContainer) return 'is this agent';
    const isOurs = this.#scope === undefined || labels?.[this.#scope.label] === this.#scope.value;
    return isOurs ? undefined : 'is of another stack';
  }

  #labels(service: string): readonly string[] {
    return this.#scope === undefined ? [service] : [service, `${this.#scope.label}=${this.#scope.value}`];
  }

  /** A call waits for the one before it, so that two never plan from the same look. */
  async #inTurn(service: ServiceName, act: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(service) ?? Promise.resolve();
    const turn = before.then(act);
    const settled = turn.catch(() => {});
    this.#turns.set(service, settled);
    try {
      await turn;
    } finally {
      if (this.#turns.get(service) === settled) this.#turns.delete(service);
    }
  }
}

/** Nobody asks how much is free where nothing is reserved. */
function roomOf(options: DockerEngineOptions, dockerd: Dockerd): Supply['room'] {
  const { diskReserve, disk = () => diskOfImages(dockerd), onConcern = () => {} } = options;
  if (diskReserve === undefined) return async () => undefined;
  let isTold = false;
  return async () => {
    const found = await disk();
    if (found !== undefined) return new Room(found, diskReserve);
    if (!isTold) onConcern('the disk of the images cannot be seen from here: pulls go on whatever is free');
    isTold = true;
    return undefined;
  };
}

function idsOf(all: readonly { readonly id: string }[]): readonly string[] {
  return all.map(({ id }) => id);
}

/** `docker compose run` makes containers of the same service that are none of ours. */
function isLasting({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean {
  return labels['com.docker.compose.oneoff'] !== 'True';
}
