/** B18. The parts of a unit are on one release: none is brought to a node that it does not fit, or ends half brought. */

import type { Attempt } from '@swell/agent/core/state.ts';
import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Result } from '@swell/shared/domain/report.ts';
import type { ByPart } from '@swell/shared/domain/unit.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import type { NodeModel } from '../node-model.ts';
import type { Bench } from './bench.ts';
import type { Start } from './start.ts';

/** What people released under a number; undefined: it was no unit, or nobody of them released it. */
export type Released = (rollout: number) => ByPart<Digest> | undefined;

export class Units {
  readonly #bench: Bench;
  readonly #service: ServiceName;
  readonly #released: Released;

  constructor(bench: Bench, service: ServiceName, released: Released) {
    this.#bench = bench;
    this.#service = service;
    this.#released = released;
  }

  cutOver(model: NodeModel, { attempt }: Start): void {
    const { old, fresh } = model.containers.swaps.get(this.#service) ?? {};
    const brought = model.partsOf(fresh?.digest);
    if (old?.parts === undefined || brought === undefined) return;
    this.#bench.judged('B18');
    if (sameValue(old.parts.toSorted(), Object.keys(brought).toSorted())) return;
    this.#break(model, attempt, `goes over to ${describe(brought)} with the parts ${old.parts.join(', ')}`);
  }

  /** An attempt has ended with this result, as its agent sees it. */
  ended(model: NodeModel, attempt: Attempt, result: Result): void {
    const running = model.partsRunning(this.#service);
    if (running === undefined) return;
    this.#bench.judged('B18');
    const { digest } = model.containers.container(this.#service) ?? {};
    if (!sameValue(running, model.partsOf(digest)))
      return this.#break(model, attempt, `says ${result}, with its parts on ${describe(running)}`);
    const released = this.#released(attempt.rollout);
    if (result !== 'healthy' || released === undefined || sameValue(running, released)) return;
    this.#break(model, attempt, `says healthy on ${describe(running)}, released was ${describe(released)}`);
  }

  /** With everything healed and settled, on the last release of all. */
  atRest(model: NodeModel, last: ByPart<Digest>): void {
    const running = model.partsRunning(this.#service);
    if (running === undefined || Object.keys(running).length < Object.keys(last).length) return;
    this.#bench.judged('B18');
    if (sameValue(running, last)) return;
    const { region, name: node } = model;
    const message = `${node} has its parts on ${describe(running)} at rest, released was ${describe(last)}`;
    this.#bench.break('B18', message, { region, node });
  }

  #break({ region, name: node }: NodeModel, { id, rollout }: Attempt, what: string): void {
    this.#bench.break('B18', `${node} ${what} (attempt ${id})`, { region, node, rollout });
  }
}

function describe(parts: ByPart<Digest>): string {
  return Object.entries(parts)
    .map(([part, digest]) => `${part} ${shortDigest(digest)}`)
    .sort()
    .join(', ');
}
