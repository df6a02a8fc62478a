/** Several services of one fleet, told of together: the cores of one coordinator, each of which knows how the others stand. */

import type { Others } from '@swell/coordinator/core/limits/others.ts';
import type { EventName } from '@swell/shared/domain/event.ts';
import type { ControlIntent, ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { digestOf, QUICK, RolloutStory } from './rollout-story.ts';

/** One stage, and all the rest as fast as it goes. */
const AT_ONCE: PolicyLayer = { ...QUICK, stagesPercent: [100] };

export class ServicesStory {
  readonly services = new Map<ServiceName, RolloutStory>();
  /** What was told of a rollout's way, in order: `db rollout-settled`. */
  readonly way: string[] = [];
  readonly #among: { others: Others } = { others: new Map() };
  readonly #told = new Map<ServiceName, number>();
  /** Releases of all services lie in one stream. */
  #number = 1_000;

  /** @param policies of each service, over what goes as fast as it can */
  constructor(
    policies: Readonly<Record<ServiceName, PolicyLayer>>,
    regions: Readonly<Record<Region, number>> = { eu: 1 },
  ) {
    for (const [service, policy] of Object.entries(policies)) {
      const among = this.#among;
      this.services.set(
        service,
        new RolloutStory({ service, policy: { ...AT_ONCE, ...policy }, regions, among }),
      );
    }
  }

  of(service: ServiceName): RolloutStory {
    const story = this.services.get(service);
    if (story === undefined) throw new Error(`no service ${service}`);
    return story;
  }

  policy(service: ServiceName, policy: PolicyLayer): void {
    this.of(service).policy({ ...AT_ONCE, ...policy });
    this.#listen();
  }

  /** Publishes a release; its number is that of its rollout, and of no other service's. */
  publish(service: ServiceName, intent: Partial<ReleaseIntent> = {}): number {
    this.#number += 1;
    const story = this.of(service);
    const tag = `v${this.#number}`;
    story.images.set(tag, digestOf(tag));
    const image = { repository: `registry.example/${service}`, tag };
    const release: ReleaseIntent = { image, overrides: {}, acceptHalted: false, ...intent };
    const at = { sequence: this.#number, storedAtMs: story.nowMs };
    story.post({ kind: 'release-published', at, release: { ok: true, value: release } });
    this.#listen();
    return this.#number;
  }

  control(service: ServiceName, action: ControlIntent['action']): void {
    this.of(service).control(action);
    this.#listen();
  }

  /** Every service's nodes take a step each, and a second passes. */
  round(): void {
    for (const story of this.services.values()) {
      story.actOnce();
      story.tick();
      story.seeAll();
      this.#listen();
    }
  }

  /** Rounds until it is so. Fails where it never comes to be. */
  until(isSo: () => boolean, rounds = 300): void {
    for (let round = 0; round < rounds; round += 1) {
      if (isSo()) return;
      this.round();
    }
    throw new Error(`it never came to be; told: ${this.way.join(', ')}`);
  }

  /** Another coordinator goes on with what was saved; at first it knows nothing of any service. */
  restart(): void {
    this.#among.others = new Map();
    for (const story of this.services.values()) story.restart();
    this.#listen();
  }

  /** Does something while nothing is known of any service. */
  unknowing(act: () => void): void {
    const { others } = this.#among;
    this.#among.others = new Map();
    act();
    this.#among.others = new Map([...others, ...this.#among.others]);
  }

  /** How the service's present rollout stands; of one that has not begun, that it waits. */
  phase(service: ServiceName): string {
    const { candidate } = this.of(service).state.record;
    return candidate === undefined ? this.of(service).phase : 'waits';
  }

  /** What was told of the service last under a name. */
  line(service: ServiceName, name: EventName): string | undefined {
    return this.of(service).told(name).at(-1)?.line;
  }

  #listen(): void {
    for (const [service, story] of this.services) {
      const heard = this.#told.get(service) ?? 0;
      for (const { name } of story.events.slice(heard)) this.way.push(`${service} ${name}`);
      this.#told.set(service, story.events.length);
    }
  }
}
