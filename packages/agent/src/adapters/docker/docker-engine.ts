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
import { type Drafting, prepareSwap } from './drafts.ts';
import { serviceChanges } from './events.ts';
import { probeCommand } from './exec.ts';
import { addressOf, judgeAutomatically, judgeHealthcheck, notRunning } from './health.ts';
import { asksOf, lockHeld, runHookAfter, runHookBefore } from './hooks.ts';
import { digestsOf } from './images.ts';
import { type InspectedContainer, plainName } from './inspected.ts';
import { hasGoneBack, type Marked, type Part, readPart } from './marks.ts';
import {
  type Found,
  type MemberSwap,
  memberProgress,
  membersLeft,
  presentParts,
  probedParts,
  readMembers,
} from './members.ts';
import { ALONG_LABEL, LAST_GOOD_DIGEST_LABEL, LAST_GOOD_IMAGE_LABEL, SERVICE_LABEL } from './memo.ts';
import { obstacleIn } from './obstacles.ts';
import { attainable } from './plan.ts';
import { dockerConfigAuth, type RegistryAuthSource } from './registry-auth.ts';
import { askRetryAfter } from './retry-after.ts';
import { type Disk, type DiskReserve, Room } from './room.ts';
import { type Recipient, type Supply, stageImage } from './stage.ts';
import { type Aim, type OnStep, runSwap, type SwapRun } from './swap.ts';

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

type Labels = Readonly<Record<string, string>>;

interface Asking {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The engine has answered: whatever comes now is a word on the container. */
  readonly onFound: () => void;
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
    const containers = await this.#inspect(presentParts(found));
    const [first] = containers;
    if (first === undefined) return { state: 'absent', digests: [] };
    const labels = containers.map(({ Config }) => Config.Labels ?? {});
    const asks = labels.map(asksOf).find((one) => one !== undefined);
    const obstacle = found.kind === 'settled' ? obstacleAmong(containers) : undefined;
    const lastGood = await this.#lastGood(labels);
    const word = readOperatorLabels(first.Config.Labels ?? {});
    const locked = movedAlong(found) ?? (await this.#locked(containers));
    return {
      state: containers.some(({ State }) => State.Running && State.Restarting !== true)
        ? 'running'
        : 'stopped',
      digests: await this.#commonDigests(containers),
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

  prepareSwap(order: SwapOrder): Promise<void> {
    const { service } = order;
    const drafting: Drafting = {
      ...this.#swapRun(service),
      run: (aim) => this.#run(service, aim),
      isOurs: ({ Config: { Labels: labels } }) =>
        this.#scope === undefined || labels?.[this.#scope.label] === this.#scope.value,
    };
    return this.#inTurn(service, () => prepareSwap(drafting, order));
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
    const containers = await this.#present(service);
    const locked = await this.#locked(containers);
    if (locked !== undefined) return { is: 'deferred', why: locked };
    for (const container of containers) {
      const leave = await runHookBefore(this.#docker, container).catch(unavailable('run the hook'));
      if (leave.is !== 'given') return leave;
    }
    return { is: 'given' };
  }

  async confirm(service: ServiceName): Promise<string | undefined> {
    for (const container of await this.#present(service)) {
      const why = await runHookAfter(this.#docker, container).catch(unavailable('run the hook'));
      if (why !== undefined) return why;
    }
    return undefined;
  }

  async countInFlight(
    service: ServiceName,
    { port, path }: InFlight,
    timeoutMs: number,
  ): Promise<number | undefined> {
    try {
      const containers = await this.#present(service);
      const counts = containers.map(async (container) => {
        const host = await this.#address(container);
        return host === undefined ? undefined : askCount(host, port, path, timeoutMs);
      });
      const all = await Promise.all(counts);
      const known = all.filter((count) => count !== undefined);
      return all.length === 0 || known.length < all.length
        ? undefined
        : known.reduce((sum, count) => sum + count, 0);
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
    const isMissed = found.members.flat().some((pair) => attainable(pair, wanted) !== wanted);
    await this.#run(service, wanted);
    if (!isMissed) return;
    const missing =
      wanted === 'commit' ? 'the new container was removed' : 'there is no old container to go back to';
    throw new EngineError('no-container', `${missing}; the other one stays`);
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
    return this.#inspect(presentParts(await this.#look(service)));
  }

  async #inspect(parts: readonly Part[]): Promise<readonly InspectedContainer[]> {
    const containers = await Promise.all(parts.map(({ id }) => this.#dockerd.container(id)));
    return containers.filter((container) => container !== undefined);
  }

  /** The first that still has one tells for all. */
  async #lastGood(labels: readonly Labels[]): Promise<Observation['lastGood']> {
    for (const { [LAST_GOOD_IMAGE_LABEL]: id, [LAST_GOOD_DIGEST_LABEL]: digest } of labels) {
      if (id === undefined || (await this.#dockerd.image(id)) === undefined) continue;
      return digest === undefined ? {} : { digest };
    }
    return undefined;
  }

  async #commonDigests(containers: readonly InspectedContainer[]): Promise<readonly Digest[]> {
    const images = await Promise.all(
      [...new Set(containers.map(({ Image }) => Image))].map((id) => this.#dockerd.image(id)),
    );
    const [digests = [], ...others] = images.map((image) => (image === undefined ? [] : digestsOf(image)));
    return digests.filter((digest) => others.every((other) => other.includes(digest)));
  }

  async #locked(containers: readonly InspectedContainer[]): Promise<string | undefined> {
    for (const container of containers) {
      const locked = await lockHeld(this.#dockerd, container, Date.now());
      if (locked !== undefined) return locked;
    }
    return undefined;
  }

  /** The first that is not well speaks for all. */
  async #probe(
    service: ServiceName,
    probe: Probe,
    { timeoutMs, signal, onFound }: Asking,
  ): Promise<ProbeOutcome> {
    const probed = probedParts(await this.#look(service));
    const containers = await Promise.all(probed.map(({ part }) => this.#dockerd.container(part.id)));
    onFound();
    let outcome: ProbeOutcome = { healthy: false, seen: 'there is no container' };
    for (const [index, container] of containers.entries()) {
      outcome = await this.#probeOne(container, probed[index]?.marked, probe, { timeoutMs, signal });
      if (!outcome.healthy) return outcome;
    }
    return outcome;
  }

  async #probeOne(
    container: InspectedContainer | undefined,
    marked: Marked | undefined,
    probe: Probe,
    { timeoutMs, signal }: Omit<Asking, 'onFound'>,
  ): Promise<ProbeOutcome> {
    if (container === undefined) return { healthy: false, seen: 'there is no container' };
    const down = notRunning(container);
    if (down !== undefined)
      return marked !== undefined && hasGoneBack(marked) ? { ...down, wentBack: true } : down;
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
    const [own, along] = await Promise.all([
      this.#parts(this.#labels(`${SERVICE_LABEL}=${service}`)),
      this.#parts([`${ALONG_LABEL}=${service}`]),
    ]);
    // Those that go along, as they were: whose new container is gone is known by the memo of the one that he lived in.
    const known = new Set(along.map(({ id }) => id));
    const olds = [...own, ...along].flatMap(({ memo }) => [
      ...(memo?.tenants ?? []),
      ...(memo?.along?.service === service ? [memo.replaces] : []),
    ]);
    const missing = [...new Set(olds)].filter((id) => !known.has(id));
    const found = await Promise.all(missing.map((id) => this.#dockerd.container(id)));
    const more = found.filter((container) => container !== undefined).map(readPart);
    return readMembers(service, own, [...along, ...more]);
  }

  async #parts(labels: readonly string[]): Promise<readonly Part[]> {
    const lasting = (await this.#dockerd.list(labels)).filter(isLasting);
    const containers = await Promise.all(lasting.map(({ id }) => this.#dockerd.container(id)));
    return containers.filter((container) => container !== undefined).map(readPart);
  }

  #run(service: ServiceName, aim: Aim): Promise<void> {
    return runSwap(this.#swapRun(service), aim);
  }

  #swapRun(service: ServiceName): SwapRun {
    return {
      dockerd: this.#dockerd,
      keepsake: { repository: LAST_GOOD, tag: this.#holding(service).place },
      onStep: this.#onStep,
      look: () => this.#look(service),
    };
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

function describeSwap(found: MemberSwap): NonNullable<Observation['swap']> {
  const memo = found.members.flatMap(([{ fresh }]) => fresh?.memo ?? [])[0];
  const progress = memberProgress(found);
  const left = progress === 'cut-over' ? membersLeft(found).length : 0;
  return {
    progress,
    attempt: memo?.attempt ?? 'unknown',
    ...(memo?.target !== undefined && { target: memo.target }),
    ...(left > 0 && { left }),
  };
}

function obstacleAmong(containers: readonly InspectedContainer[]): string | undefined {
  const isOne = containers.length === 1;
  return containers.flatMap((container) => {
    const obstacle = obstacleIn(container);
    return obstacle === undefined ? [] : [isOne ? obstacle : `${plainName(container.Name)} ${obstacle}`];
  })[0];
}

function movedAlong(found: Found): string | undefined {
  const service = found.kind === 'settled' ? found.alongWith : undefined;
  return service && `${service}, in whose namespaces it lives, is being updated`;
}

function unavailable(what: string): (error: unknown) => never {
  return (error) => {
    throw engineErrorOf(error, 'unavailable', `could not ${what}`);
  };
}
