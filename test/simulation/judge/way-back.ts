/**
 * I10. From its cut-over on a node comes back into rotation by itself: within the time that the engine's own work and
 * the probing take, whatever the bus and the registry do. While the agent or dockerd is away that time stands still. Of what cannot be undone that holds
 * until it has been started.
 */

import type { HealthCheck } from '@swell/shared/domain/health.ts';
import type { NodeId, ServiceName } from '@swell/shared/domain/names.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import type { NodeModel } from '../node-model.ts';
import type { VirtualTime } from '../time.ts';
import type { Bench, Concern } from './bench.ts';
import type { Start } from './start.ts';

/** The engine is asked again after at most 4 s; a few times, and what lies between the steps. */
const SLACK_MS = 20_000;

interface Out {
  readonly model: NodeModel;
  readonly start: Start;
  readonly sinceMs: number;
  /** How often it is probed until it is well: of each replica, and with `maxSurge` before and after its old one stops. */
  readonly probings: number;
  /** What the engine's work has taken since. */
  workMs: number;
  health: HealthCheck;
}

/** Since when nothing outside has stopped a node's agent or its dockerd; undefined: something does. */
export type CalmSince = (model: NodeModel) => number | undefined;

export class WayBack {
  readonly #bench: Bench;
  readonly #time: VirtualTime;
  readonly #service: ServiceName;
  readonly #calmSince: CalmSince;
  readonly #out = new Map<NodeId, Out>();

  constructor(bench: Bench, time: VirtualTime, service: ServiceName, calmSince: CalmSince) {
    this.#bench = bench;
    this.#time = time;
    this.#service = service;
    this.#calmSince = calmSince;
  }

  wentOut(model: NodeModel, start: Start): void {
    const { health } = start.attempt;
    const { old, fresh } = model.containers.swaps.get(this.#service) ?? {};
    const all = [model.containers.container(this.#service), old, fresh];
    const replicas = Math.max(1, ...all.map((one) => one?.replicas ?? 1));
    const probings = start.attempt.surges === true ? 2 * replicas : replicas;
    const out: Out = { model, start, sinceMs: this.#time.nowMs, probings, workMs: 0, health };
    this.#out.set(model.name, out);
    this.#lookAgain(out, allowedMs(out));
  }

  isOut({ name }: NodeModel, attempt: string): boolean {
    return this.#out.get(name)?.start.attempt.id === attempt;
  }

  /** The engine begins a piece of work that will take so long. */
  works(model: NodeModel, work: string, ms: number): void {
    const out = this.#out.get(model.name);
    if (out === undefined) return;
    out.workMs += ms;
    if (work !== 'stage') return;
    this.#bench.judged('I10');
    this.#bench.break('I10', `${model.name} pulls an image while it is out of rotation`, concernOf(out));
  }

  cameBack(model: NodeModel): void {
    const out = this.#out.get(model.name);
    if (out === undefined) return;
    this.#out.delete(model.name);
    this.#bench.judged('I10');
    this.#judge(out);
  }

  /** Its agent's journal is gone: what is asked of the container is what one asks by default. */
  forgets(model: NodeModel): void {
    const out = this.#out.get(model.name);
    if (out !== undefined && probingMs(DEFAULT_POLICY.health) > probingMs(out.health))
      out.health = DEFAULT_POLICY.health;
  }

  /** Somebody took the container away, or the machine is gone for good. */
  forget(model: NodeModel): void {
    this.#out.delete(model.name);
  }

  #lookAgain(out: Out, ms: number): void {
    this.#time.after(ms, () => {
      if (this.#out.get(out.model.name) !== out) return;
      if (this.#judge(out)) this.#lookAgain(out, allowedMs(out));
      else this.#out.delete(out.model.name);
    });
  }

  /** Is it still within its time? */
  #judge(out: Out): boolean {
    const calmSinceMs = this.#calmSince(out.model);
    if (calmSinceMs === undefined || isPastReturn(out)) return true;
    const tookMs = this.#time.nowMs - Math.max(out.sinceMs, calmSinceMs);
    if (tookMs <= allowedMs(out)) return true;
    const { name } = out.model;
    const waited = `${Math.round(tookMs)} ms, ${Math.round(allowedMs(out))} ms may be`;
    this.#bench.break(
      'I10',
      `${name} has been out for ${waited}, in attempt ${out.start.attempt.id}`,
      concernOf(out),
    );
    return false;
  }
}

function isPastReturn({ model, start: { attempt } }: Out): boolean {
  return attempt.irreversible === true && model.started.has(attempt.id);
}

function allowedMs({ workMs, probings, health }: Out): number {
  return workMs + probings * (probingMs(health) + SLACK_MS);
}

/** The last probe that is not well comes at the deadline; then it may be well for as long as it has to be. */
function probingMs({ intervalMs, probeTimeoutMs, minHealthyTimeMs, healthyDeadlineMs }: HealthCheck): number {
  return healthyDeadlineMs + minHealthyTimeMs + 2 * (intervalMs + probeTimeoutMs);
}

function concernOf({ model, start }: Out): Concern {
  return { region: model.region, node: model.name, rollout: start.attempt.rollout };
}
