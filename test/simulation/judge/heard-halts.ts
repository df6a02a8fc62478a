/** I5. Whoever has heard a halt does not cut over to what it condemns. */

import type { NodeId } from '@swell/shared/domain/names.ts';
import { type Halt, isHalted, type Standing } from '@swell/shared/domain/wave.ts';
import type { Bench } from './bench.ts';
import type { Start } from './start.ts';

export class HeardHalts {
  readonly #bench: Bench;
  /** What the agents that run now have heard last. */
  readonly #heard = new Map<NodeId, Standing<Halt>>();

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  hears(node: NodeId, halt: Standing<Halt> | undefined): void {
    if (halt === undefined) this.#heard.delete(node);
    else this.#heard.set(node, halt);
  }

  /** An agent begins with nothing heard. */
  starts(node: NodeId): void {
    this.#heard.delete(node);
  }

  judgeCutOver({ region, node, attempt }: Start): void {
    const halt = this.#heard.get(node);
    const { kind, rollout, digest } = attempt;
    if (halt === undefined || kind === 'return' || digest === undefined) return;
    this.#bench.judged('I5');
    if (!isHalted(halt.order, { rollout, image: { digest } })) return;
    this.#bench.break(
      'I5',
      `${node} cut over to rollout ${rollout} in attempt ${attempt.id}, though it had heard halt ${halt.revision}`,
      { region, node, rollout },
    );
  }
}
