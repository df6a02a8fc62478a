/**
 * I5, N12. A rollout that was halted rests when nobody who is there is on it any more; and who has failed a release does
 * not try it again, but where a person says so.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import { KNOWN_AFTER_MS, type Scene, type ToldStart } from './scene.ts';

const BUS_CALM_MS = 60_000;

export class WaysBack {
  readonly #scene: Scene;
  readonly #digests = new Map<number, Digest>();
  readonly #last = new Map<NodeId, NodeReport>();
  /** Failed updates, by node, rollout and the life of the agent. */
  readonly #failed = new Map<string, { readonly attempt: string; readonly retry: number }>();

  /** The rollout that the standing halt lets nodes stay on. */
  #letStay: number | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  halt(halt: Halt | undefined): void {
    this.#letStay = halt?.stay === true ? halt.rollout : undefined;
  }

  wave({ release }: Wave): void {
    // Nobody goes back from that.
    if (release.irreversible === true) return;
    this.#digests.set(release.rollout, release.image.digest);
  }

  report(report: NodeReport): void {
    this.#last.set(report.node, report);
    if (report.status === 'failed' && report.attempt !== undefined)
      this.#failed.set(triesOf(report, report.attempt), {
        attempt: report.attempt,
        retry: report.retry ?? 0,
      });
  }

  start({ report, wave }: ToldStart): void {
    const { region, node, rollout, attempt } = report;
    if (attempt === undefined) return;
    const failed = this.#failed.get(triesOf(report, attempt));
    const { bench } = this.#scene;
    bench.judged('N12');
    // Unless it was told to.
    if (failed === undefined || failed.retry < (wave.release.retry ?? 0)) return;
    bench.break(
      'N12',
      `${node} tries rollout ${rollout} again in attempt ${attempt}, which it failed in ${failed.attempt}`,
      {
        region,
        node,
        rollout,
      },
    );
  }

  event({ name, rollout }: FleetEvent): void {
    const digest =
      name === 'rollout-rested' && rollout !== undefined ? this.#digests.get(rollout) : undefined;
    const { bench, calm, runningOn } = this.#scene;
    const { nowMs } = bench;
    if (digest === undefined || this.#letStay === rollout || !calm.isBusCalm(BUS_CALM_MS, nowMs)) return;
    bench.judged('I5');
    for (const node of runningOn(digest)) {
      if (!calm.isNodeCalm(node, KNOWN_AFTER_MS, nowMs) || this.#stays(node, rollout)) continue;
      bench.break('I5', `rollout ${rollout} rests, though ${node} is still on it`, { node, rollout });
    }
  }

  /** It cannot go back, and has said so. */
  #stays(node: NodeId, rollout: number | undefined): boolean {
    const last = this.#last.get(node);
    return last?.rollout === rollout && (last?.status === 'kept' || last?.status === 'failed');
  }
}

/** An attempt's name ends with the mark of its agent's life and a count: `12.update.jwas3y-1`. */
function triesOf({ node }: NodeReport, attempt: string): string {
  return `${node}/${attempt.slice(0, attempt.lastIndexOf('-'))}`;
}
