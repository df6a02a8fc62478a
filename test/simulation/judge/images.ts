/**
 * The images on the nodes: what a node runs, or would have to go back to, is never cleaned away (I10: the way back needs no
 * registry), and what Swell brought does not pile up where no rollout moves (B8).
 */

import type { MemoryContainer } from '@swell/agent/adapters/memory-engine.ts';
import type { AgentEvent } from '@swell/agent/core/events.ts';
import type { ServiceState } from '@swell/agent/core/state.ts';
import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { NodeId, ServiceName } from '@swell/shared/domain/names.ts';
import type { NodeModel } from '../node-model.ts';
import type { Bench } from './bench.ts';
import type { CalmSince } from './way-back.ts';

/** What runs, what it goes back to, and what its wave is about. */
const AT_REST_MAX = 3;

export class Images {
  readonly #bench: Bench;
  readonly #service: ServiceName;
  readonly #calmSince: CalmSince;
  /** When each agent last looked at everything, with no rollout moving and nothing to do. */
  readonly #quietLooks = new Map<NodeId, number>();

  constructor(bench: Bench, service: ServiceName, calmSince: CalmSince) {
    this.#bench = bench;
    this.#service = service;
    this.#calmSince = calmSince;
  }

  /** An engine took these away, as nobody's. */
  cleaned(model: NodeModel, removed: readonly Digest[]): void {
    const { old, fresh } = model.containers.swaps.get(this.#service) ?? {};
    const containers = [model.containers.container(this.#service), old, fresh];
    const needed = new Map(containers.flatMap(needs));
    this.#bench.judged('I10');
    for (const digest of removed) {
      const why = needed.get(digest);
      if (why === undefined) continue;
      const { region, name: node } = model;
      const message = `${node} cleans ${shortDigest(digest)} away, which ${why}`;
      this.#bench.break('I10', message, { region, node });
    }
  }

  /** An agent has taken a step. */
  handled(model: NodeModel, event: AgentEvent, state: ServiceState): void {
    const { phase, observation, wave, frozen } = state;
    const { name, containers } = model;
    // Whoever has seen his orders go backwards does nothing.
    const isAtEase = phase.name === 'idle' && observation !== undefined && !frozen;
    const isSettled = isAtEase && wave?.order.phase === 'settled';
    if (!isSettled) return void this.#quietLooks.delete(name);
    if (event.kind !== 'timer-fired' || event.timer !== 'look') return;
    const lastMs = this.#quietLooks.get(name);
    this.#quietLooks.set(name, this.#bench.nowMs);
    const calmSinceMs = this.#calmSince(model);
    // At the look before this one it cleaned, if there was a dockerd and a container then.
    if (lastMs === undefined || calmSinceMs === undefined || calmSinceMs > lastMs) return;
    if (containers.container(this.#service) === undefined) return;
    this.#bench.judged('B8');
    const brought = [...containers.brought].filter(([, services]) => services.has(this.#service));
    if (brought.length <= AT_REST_MAX) return;
    const held = brought.map(([digest]) => shortDigest(digest)).join(', ');
    this.#bench.break('B8', `${name} keeps what nobody needs: it has ${held}`, {
      region: model.region,
      node: name,
    });
  }

  /** Its agent begins anew, or somebody's hand was on it. */
  forget({ name }: NodeModel): void {
    this.#quietLooks.delete(name);
  }
}

function needs(container: MemoryContainer | undefined): readonly (readonly [Digest, string])[] {
  const { digest, lastGood } = container ?? {};
  const back = lastGood === undefined ? [] : [[lastGood, 'it would have to go back to'] as const];
  return digest === undefined ? back : [...back, [digest, 'its container has'] as const];
}
