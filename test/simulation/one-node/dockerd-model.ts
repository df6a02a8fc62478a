/**
 * dockerd of one simulated machine, as its API shows it: containers with names, restart policies and labels, which outlive
 * its clients. What runs in a container is a program of the simulated world.
 *
 * - A container that ends is started again as its policy says, at growing intervals, unless somebody stopped it.
 * - When dockerd itself ends, so do all containers; when it is back it starts `always`, and `unless-stopped` unless
 *   somebody stopped it.
 */

import type { Chance } from '../chance.ts';
import type { VirtualTime } from '../time.ts';

export interface ModelImage {
  readonly Id: string;
  readonly RepoDigests: readonly string[];
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}

/** What runs in a container. */
export interface Program {
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>;
  kill(): void;
}

export interface ModelContainer {
  readonly id: string;
  name: string;
  readonly imageId: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly host: Readonly<Record<string, unknown>>;
  policy: string;
  status: 'created' | 'running' | 'restarting' | 'exited';
  isByHand: boolean;
  startedAtMs: number | undefined;
  restarts: number;
  /** Of its present run. */
  program: Program | undefined;
}

export interface CreateRequest {
  readonly name: string;
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: { readonly RestartPolicy: { readonly Name: string } };
}

const RESTART_AFTER_MS = 100;
const RESTART_AFTER_MAX_MS = 60_000;
/** Who has run for so long is started again at once. */
const STEADY_MS = 10_000;
/** What Docker gives a container to stop. */
const STOP_MS = 10_000;

export class DockerdModel {
  readonly containers = new Map<string, ModelContainer>();
  readonly #images: readonly ModelImage[];
  /** Name → id: what the operator calls them. */
  readonly #tags = new Map<string, string>();
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  #isUp = true;
  #made = 0;
  /** What a container's image does when it is started. */
  onStart: (container: ModelContainer) => Program = () => ({ stop: async () => {}, kill: () => {} });
  /** The world's eye: something has changed. */
  onChange: () => void = () => {};

  constructor(time: VirtualTime, chance: Chance, images: readonly ModelImage[]) {
    this.#time = time;
    this.#chance = chance;
    this.#images = images;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  find(id: string): ModelContainer {
    const found = this.containers.get(id) ?? [...this.containers.values()].find(({ name }) => name === id);
    return found ?? refuse(404, `No such container: ${id}`);
  }

  image(reference: string): ModelImage {
    const id = this.#tags.get(reference) ?? reference;
    const found = this.#images.find(({ Id, RepoDigests }) => Id === id || RepoDigests.includes(id));
    return found ?? refuse(404, `No such image: ${reference}`);
  }

  tagsOf({ Id }: ModelImage): readonly string[] {
    return [...this.#tags].flatMap(([name, id]) => (id === Id ? [name] : []));
  }

  get images(): readonly ModelImage[] {
    return this.#images;
  }

  tag(reference: string, name: string): void {
    this.#tags.set(name, this.image(reference).Id);
  }

  untag(name: string): void {
    if (!this.#tags.delete(name)) refuse(404, `No such image: ${name}`);
  }

  create({ name, Image, Labels, HostConfig }: CreateRequest): ModelContainer {
    this.#expectFree(name);
    const { Id, Config } = this.image(Image);
    const { RestartPolicy, ...host } = HostConfig;
    this.#made += 1;
    const container: ModelContainer = {
      id: this.#made.toString(16).padStart(64, 'c'),
      name,
      imageId: Id,
      image: Image,
      labels: { ...Config.Labels, ...Labels },
      host,
      policy: RestartPolicy.Name,
      status: 'created',
      isByHand: false,
      startedAtMs: undefined,
      restarts: 0,
      program: undefined,
    };
    this.containers.set(container.id, container);
    this.onChange();
    return container;
  }

  start(id: string): void {
    const container = this.find(id);
    if (container.status === 'running') refuse(304, 'already started');
    container.isByHand = false;
    container.restarts = 0;
    this.#run(container);
  }

  async stop(id: string): Promise<void> {
    const container = this.find(id);
    if (container.status !== 'running' && container.status !== 'restarting') refuse(304, 'already stopped');
    container.isByHand = true;
    const { program } = container;
    if (program !== undefined) await this.#end(program);
    if (container.program === program) this.#rest(container);
  }

  rename(id: string, name: string): void {
    const container = this.find(id);
    this.#expectFree(name);
    container.name = name;
    this.onChange();
  }

  setPolicy(id: string, policy: string): void {
    this.find(id).policy = policy;
    this.onChange();
  }

  remove(id: string): void {
    const container = this.find(id);
    this.containers.delete(container.id);
    container.program?.kill();
    container.program = undefined;
    this.onChange();
  }

  /** Its program has ended by itself. */
  exited(container: ModelContainer, program: Program): void {
    if (container.program !== program || !this.#isUp) return;
    container.program = undefined;
    const isWanted = container.policy !== 'no' && !container.isByHand;
    if (!isWanted || !this.containers.has(container.id)) return this.#rest(container);
    if (this.#time.nowMs - (container.startedAtMs ?? 0) > STEADY_MS) container.restarts = 0;
    container.restarts += 1;
    container.status = 'restarting';
    this.onChange();
    const waitMs = Math.min(RESTART_AFTER_MS * 2 ** container.restarts, RESTART_AFTER_MAX_MS);
    this.#time.after(waitMs, () => {
      const isDue = container.status === 'restarting' && container.program === undefined;
      if (isDue && this.#isUp && this.containers.has(container.id)) this.#run(container);
    });
  }

  /** SIGKILL for what runs in it. */
  kill(container: ModelContainer): void {
    const { program } = container;
    if (program === undefined) return;
    program.kill();
    this.exited(container, program);
  }

  /** It ends, and all containers with it: each in order, or not. */
  async down(): Promise<void> {
    this.#isUp = false;
    const running = [...this.containers.values()].flatMap(({ program }) => program ?? []);
    await Promise.all(running.map((program) => this.#end(program)));
    for (const container of this.containers.values()) {
      container.program?.kill();
      container.program = undefined;
      if (container.status !== 'created') container.status = 'exited';
    }
  }

  up(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    for (const container of this.containers.values()) {
      const { policy, isByHand, status } = container;
      const isDue = policy === 'always' || (policy === 'unless-stopped' && !isByHand);
      if (status === 'exited' && isDue) this.#run(container);
    }
    this.onChange();
  }

  #run(container: ModelContainer): void {
    container.status = 'running';
    container.startedAtMs = this.#time.nowMs;
    container.program = this.onStart(container);
    this.onChange();
  }

  #rest(container: ModelContainer): void {
    container.status = 'exited';
    container.program = undefined;
    this.onChange();
  }

  #expectFree(name: string): void {
    if ([...this.containers.values()].some((other) => other.name === name))
      refuse(409, `The container name "/${name}" is already in use`);
  }

  /** SIGTERM, and SIGKILL where that is not enough. */
  async #end(program: Program): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#time.after(STOP_MS, resolve);
    const isPrompt = this.#chance.happens(0.7);
    await (isPrompt ? Promise.race([program.stop(), promise]) : Promise.resolve());
    program.kill();
  }
}

/** As the client of Docker throws what its API says no with. */
export function refuse(statusCode: number, message: string): never {
  throw Object.assign(new Error(`(HTTP code ${statusCode}) ${message}`), { statusCode });
}
