/** B14. After a halt that says so (`"return": false`) nobody who is well on the release goes back because of it. */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { ControlIntent } from '@swell/shared/domain/intent.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Halt } from '@swell/shared/domain/wave.ts';
import type { Scene } from './scene.ts';

/** A word may wait for a coordinator: one of before the rollout may have been taken for one about it. */
const HEARD_WITHIN_MS = 600_000;

interface Said {
  readonly rollout: number | undefined;
  readonly stay: boolean;
  readonly atMs: number;
}

export class Stays {
  readonly #scene: Scene;
  readonly #said: Said[] = [];
  readonly #startedAtMs = new Map<number, number>();
  /** Nodes that have said that they are well on a rollout. */
  readonly #well = new Set<string>();
  /** The rollout whose last halt was a person's. */
  #halted: number | undefined;
  /** The rollout that the standing halt lets nodes stay on. */
  #letStay: number | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  said(intent: ControlIntent): void {
    if (intent.action !== 'halt') return;
    const { rollout, stay = false } = intent;
    this.#said.push({ rollout, stay, atMs: this.#scene.bench.nowMs });
  }

  halt(halt: Halt | undefined): void {
    this.#letStay = halt?.stay === true ? halt.rollout : undefined;
  }

  event({ name, rollout, line }: FleetEvent): void {
    if (rollout === undefined) return;
    if (name === 'rollout-started') {
      this.#startedAtMs.set(rollout, this.#scene.bench.nowMs);
      this.#halted = undefined;
    }
    if (name === 'rollout-halted') this.#halted = line.endsWith('by an operator') ? rollout : undefined;
  }

  report(report: NodeReport): void {
    const { node, rollout, status } = report;
    const halted = this.#halted;
    const isGoingBack = status === 'returning' || (status === 'updating' && rollout < (halted ?? 0));
    if (halted !== undefined && isGoingBack && this.#well.has(`${node}/${halted}`))
      this.#judge(report, halted);
    if (status === 'healthy') this.#well.add(`${node}/${rollout}`);
    else if (status === 'updating' || status === 'returning') this.#leave(node);
  }

  #leave(node: string): void {
    for (const well of this.#well) if (well.startsWith(`${node}/`)) this.#well.delete(well);
  }

  #judge({ region, node, rollout, status }: NodeReport, halted: number): void {
    if (status === 'returning' && rollout !== halted) return;
    const startedAtMs = this.#startedAtMs.get(halted) ?? Number.NEGATIVE_INFINITY;
    const about = this.#said.filter(
      (one) =>
        one.rollout === halted || (one.rollout === undefined && one.atMs >= startedAtMs - HEARD_WITHIN_MS),
    );
    if (about.length === 0 || about.some(({ stay }) => !stay)) return;
    // Until the halt stands, what settled before is what a node may still go by.
    if (status === 'updating' && this.#letStay !== halted) return;
    const { bench } = this.#scene;
    bench.judged('B14');
    const message = `${node} is ${status} (rollout ${rollout}) though all were to stay on rollout ${halted}, which was halted`;
    bench.break('B14', message, { region, node, rollout: halted });
  }
}
