/**
 * {@link Engine} on dockerd. It remembers nothing: what it says and does follows from the containers and their marks,
 * so that a fresh one takes up what another one left.
 */

import type { Probe } from '@swell/shared/domain/health.ts';
import type { Digest, PinnedImage } from '@swell/shared/domain/image.ts';
import { isName, type ServiceName } from '@swell/shared/domain/names.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import type Docker from 'dockerode';
import type { Leave, Observation, ProbeOutcome, SwapOrder } from '../../core/container.ts';
import { readOperatorLabels } from '../../protocol/operator-word.ts';
import { type Engine, EngineError } from '../engine.ts';
import { askCount, probeHttp, probeTcp, within } from '../probe.ts';
import { cleanImages, type Holding, LAST_GOOD, placeOf } from './brought.ts';
import { diskOfImages } from './disk.ts';
import { Dockerd, engineErrorOf } from './dockerd.ts';
import { serviceChanges } from './events.ts';
import { probeCommand } from './exec.ts';
import { addressOf, judgeAutomatically, judgeHealthcheck, notRunning } from './health.ts';
import { asksOf, lockHeld, runHookAfter, runHookBefore } from './hooks.ts';
import { digestsOf } from './images.ts';
import type { InspectedContainer } from './inspected.ts';
import {
  type Found,
  hasGoneBack,
  LAST_GOOD_DIGEST_LABEL,
  LAST_GOOD_IMAGE_LABEL,
  presentPart,
  probedPart,
  progressOf,
  readMarks,
  readPart,
  SERVICE_LABEL,
  type Swap,
} from './marks.ts';
import { obstacleIn } from './obstacles.ts';
import { attainable, type Intent } from './plan.ts';
import { createDraft, findTarget } from './prepare.ts';
import { dockerConfigAuth, type RegistryAuthSource } from './registry-auth.ts';
import { askRetryAfter } from './retry-after.ts';
import { type Disk, type DiskReserve, Room } from './room.ts';
import { type Recipient, type Supply, stageImage } from './stage.ts';
import { type OnStep, runSwap } from './swap.ts';

/** Only containers that bear this label are the agent's: of its own Compose project, or of a named stack. */
export interface Scope {
  readonly label: string;
  readonly value: string;
}

export const COMPOSE_PROJECT_LABEL = 'com.docker.compose.project';
export const STACK_LABEL = 'swell.stack';

export interface DockerEngineOptions {
  readonly docker: Docker;
  /** Missing: every container of this dockerd that bears a service's label. */
  readonly scope?: Scope;
  /** Missing: what `docker login` has stored. */
  readonly auth?: RegistryAuthSource;
  readonly onStep?: OnStep;
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
  readonly #supply: Supply;
  readonly #onStep: OnStep;
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
    this.#scope = scope;
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
    if (found.kind === 'replicas') {
      return {
        state: 'running',
        digests: [],
        obstacle: `several containers bear its label: ${found.bases.join(', ')}`,
      };
    }
    const id = presentPart(found)?.id;
    const container = id === undefined ? undefined : await this.#dockerd.container(id);
    if (container === undefined) return { state: 'absent', digests: [] };
    const image = await this.#dockerd.image(container.Image);
    const obstacle = found.kind === 'single' ? obstacleIn(container) : undefined;
    const lastGood = await this.#lastGood(container);
    const labels = container.Config.Labels ?? {};
    const word = readOperatorLabels(labels);
    const asks = asksOf(labels);
    const locked = await lockHeld(this.#docker, container, Date.now()).catch(unavailable('look at the lock'));
    return {
      state: container.State.Running && container.State.Restarting !== true ? 'running' : 'stopped',
      digests: image === undefined ? [] : digestsOf(image),
      ...(found.kind === 'swap' && { swap: describeSwap(found) }),
      ...(lastGood !== undefined && { lastGood }),
      ...(obstacle !== undefined && { obstacle }),
      ...(word !== undefined && { word }),
      ...(asks !== undefined && { asks }),
      ...(locked !== undefined && { locked }),
    };
  }

  async stageImage(image: PinnedImage, signal: AbortSignal, service?: ServiceName): Promise<void> {
    if (service === undefined) return stageImage(this.#supply, image, undefined, signal);
    this.#staging.set(service, (this.#staging.get(service) ?? 0) + 1);
    try {
      // What is being cleaned just now may be this very image.
      await this.#turns.get(service);
      await stageImage(this.#supply, image, await this.#recipient(service), signal);
    } finally {
      const left = (this.#staging.get(service) ?? 1) - 1;
      if (left > 0) this.#staging.set(service, left);
      else this.#staging.delete(service);
    }
  }

  async cleanImages(service: ServiceName, wanted?: Digest): Promise<readonly string[]> {
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

  prepareSwap(order: SwapOrder): Promise<void> {
    return this.#inTurn(order.service, () => this.#prepare(order));
  }

  cutOver(service: ServiceName): Promise<void> {
    return this.#inTurn(service, async () => {
      const found = await this.#look(service);
      if (found.kind !== 'swap') throw new EngineError('no-container', 'no swap was prepared');
      await this.#run(service, 'cut-over');
    });
  }

  commitSwap(service: ServiceName): Promise<void> {
    return this.#inTurn(service, () => this.#end(service, 'commit'));
  }

  undoSwap(service: ServiceName): Promise<void> {
    return this.#inTurn(service, () => this.#end(service, 'undo'));
  }

  async probe(service: ServiceName, probe: Probe, timeoutMs: number): Promise<ProbeOutcome> {
    const signal = AbortSignal.timeout(timeoutMs);
    let isFound = false;
    const onFound = (): void => {
      isFound = true;
    };
    const asked = this.#probe(service, probe, { timeoutMs, signal, onFound }).catch((error: unknown) => ({
      healthy: false,
      seen: error instanceof Error ? error.message : String(error),
    }));
    const outcome = await within(asked, timeoutMs, service, () => {});
    return isFound ? outcome : { ...outcome, unasked: true };
  }

  async askLeave(service: ServiceName): Promise<Leave> {
    const container = await this.#present(service);
    if (container === undefined) return { is: 'given' };
    const locked = await lockHeld(this.#docker, container, Date.now()).catch(unavailable('look at the lock'));
    if (locked !== undefined) return { is: 'deferred', why: locked };
    return runHookBefore(this.#docker, container).catch(unavailable('run the hook'));
  }

  async confirm(service: ServiceName): Promise<string | undefined> {
    const container = await this.#present(service);
    return container && runHookAfter(this.#docker, container).catch(unavailable('run the hook'));
  }

  async countInFlight(
    service: ServiceName,
    { port, path }: InFlight,
    timeoutMs: number,
  ): Promise<number | undefined> {
    try {
      const container = await this.#present(service);
      const host = container === undefined ? undefined : await this.#address(container);
      return host === undefined ? undefined : await askCount(host, port, path, timeoutMs);
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

  async #prepare(order: SwapOrder): Promise<void> {
    const found = await this.#look(order.service);
    if (found.kind === 'absent')
      throw new EngineError('no-container', `no container bears ${order.service}'s label`);
    if (found.kind === 'replicas') {
      throw new EngineError('not-carried', `several containers bear its label: ${found.bases.join(', ')}`);
    }
    if (found.kind === 'swap' && (await this.#isFor(found, order)))
      return this.#run(order.service, 'prepare');
    if (found.kind === 'swap') {
      const progress = progressOf(found);
      if (progress === 'cut-over')
        throw new EngineError('not-carried', 'another swap waits to be committed or undone');
      // Somebody else's leftovers: an attempt that nobody will take up again.
      await this.#run(order.service, progress === 'committed' ? 'commit' : 'undo');
    }
    const settled = await this.#look(order.service);
    const old = settled.kind === 'single' ? await this.#dockerd.container(settled.part.id) : undefined;
    if (old === undefined) throw new EngineError('no-container', 'the container was removed by somebody');
    await this.#onStep('create-new', 'before');
    await createDraft(this.#dockerd, order, old);
    await this.#onStep('create-new', 'after');
    await this.#run(order.service, 'prepare');
  }

  /** Where somebody took a container away, the other one stays; that is said once, for the next call finds no swap. */
  async #end(service: ServiceName, wanted: 'commit' | 'undo'): Promise<void> {
    const found = await this.#look(service);
    if (found.kind !== 'swap') return;
    const reached = attainable(found, wanted);
    await this.#run(service, reached);
    if (reached === wanted) return;
    const missing =
      wanted === 'commit' ? 'the new container was removed' : 'there is no old container to go back to';
    throw new EngineError('no-container', `${missing}; the other one stays`);
  }

  /** Was this swap begun by the same order? Then it is taken up. */
  async #isFor(swap: Swap, order: SwapOrder): Promise<boolean> {
    const { old, fresh } = swap;
    if (old === undefined || fresh?.memo?.replaces !== old.id || fresh.memo.attempt !== order.attempt)
      return false;
    if (progressOf(swap) === 'committed' || fresh.suffix === '.swell-failed') return false;
    const container = await this.#dockerd.container(old.id);
    if (container === undefined) return false;
    const target = await findTarget(this.#dockerd, order.target, container);
    return target.imageId === fresh.imageId;
  }

  #holding(service: ServiceName): Holding {
    return { dockerd: this.#dockerd, place: placeOf(service, this.#scope?.value) };
  }

  async #recipient(service: ServiceName): Promise<Recipient> {
    const container = await this.#present(service);
    const running = container && (await this.#dockerd.image(container.Image));
    return { holding: this.#holding(service), running };
  }

  /** The container that stands for the service now. */
  async #present(service: ServiceName): Promise<InspectedContainer | undefined> {
    const part = presentPart(await this.#look(service));
    return part && this.#dockerd.container(part.id);
  }

  async #lastGood(container: InspectedContainer): Promise<Observation['lastGood']> {
    const { [LAST_GOOD_IMAGE_LABEL]: id, [LAST_GOOD_DIGEST_LABEL]: digest } = container.Config.Labels ?? {};
    if (id === undefined || (await this.#dockerd.image(id)) === undefined) return undefined;
    return digest === undefined ? {} : { digest };
  }

  async #probe(
    service: ServiceName,
    probe: Probe,
    {
      timeoutMs,
      signal,
      onFound,
    }: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly onFound: () => void },
  ): Promise<ProbeOutcome> {
    const found = await this.#look(service);
    const part = probedPart(found);
    const container = part === undefined ? undefined : await this.#dockerd.container(part.id);
    onFound();
    if (container === undefined) return { healthy: false, seen: 'there is no container' };
    const down = notRunning(container);
    if (down !== undefined) return hasGoneBack(found) ? { ...down, wentBack: true } : down;
    switch (probe.kind) {
      case 'automatic':
        return judgeAutomatically(container, Date.now());
      case 'docker':
        return judgeHealthcheck(container);
      case 'command':
        return probeCommand(this.#docker, container.Id, probe.command, signal);
      case 'http':
      case 'tcp': {
        const host = await this.#address(container);
        if (host === undefined) return { healthy: false, seen: 'the container has no address' };
        return probe.kind === 'tcp'
          ? probeTcp(host, probe.port, timeoutMs)
          : probeHttp(host, probe.port, probe.path, timeoutMs);
      }
      default:
        return unreachable(probe);
    }
  }

  async #address(container: InspectedContainer): Promise<string | undefined> {
    const address = addressOf(container);
    if (address === undefined || 'host' in address) return address?.host;
    const parent = await this.#dockerd.container(address.parent);
    const lent = parent === undefined ? undefined : addressOf(parent);
    return lent !== undefined && 'host' in lent ? lent.host : undefined;
  }

  async #look(service: ServiceName): Promise<Found> {
    const listed = await this.#dockerd.list(this.#labels(`${SERVICE_LABEL}=${service}`));
    const lasting = listed.filter(isLasting);
    const containers = await Promise.all(lasting.map(({ id }) => this.#dockerd.container(id)));
    return readMarks(containers.filter((container) => container !== undefined).map(readPart));
  }

  #run(service: ServiceName, intent: Intent): Promise<void> {
    return runSwap(
      {
        dockerd: this.#dockerd,
        keepsake: { repository: LAST_GOOD, tag: this.#holding(service).place },
        onStep: this.#onStep,
        look: () => this.#look(service),
      },
      intent,
    );
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

/** `docker compose run` makes containers of the same service that are none of ours. */
function isLasting({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean {
  return labels['com.docker.compose.oneoff'] !== 'True';
}

function describeSwap(swap: Swap): NonNullable<Observation['swap']> {
  const memo = swap.fresh?.memo;
  return {
    progress: progressOf(swap),
    attempt: memo?.attempt ?? 'unknown',
    ...(memo?.target !== undefined && { target: memo.target }),
  };
}

function unavailable(what: string): (error: unknown) => never {
  return (error) => {
    throw engineErrorOf(error, 'unavailable', `could not ${what}`);
  };
}
