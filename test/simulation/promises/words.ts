/** B14. What the operator says is done, and nothing is done in his name that he has not said. */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { ControlAction, ControlIntent } from '@swell/shared/domain/intent.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import type { Scene, ToldStart } from './scene.ts';

/** A word may wait for a coordinator, and its event for the bus. */
const HEARD_WITHIN_MS = 600_000;
const CALM_MS = 60_000;
/** What is decided in one step is written side by side. */
const WRITTEN_WITHIN_MS = 1_000;

/** What a person must have said for an event that gives no other reason. */
const SAID_BEFORE: Partial<Record<FleetEvent['name'], readonly ControlAction[]>> = {
  'rollout-halted': ['halt'],
  'rollout-aborted': ['abort', 'halt'],
  'rollout-paused': ['pause'],
  'rollout-resumed': ['resume'],
  'stage-approved': ['approve'],
};
const IN_A_PERSONS_NAME = /(by an operator|goes on|is approved)$/;

/** It goes on by itself, and whoever lets it is not asked for (K3 is judged apart). */
const WAITS = /is paused: it waits for/;

interface Stopped {
  readonly rollout: number;
  readonly by: 'paused' | 'aborted';
  /** For another service. */
  readonly waits: boolean;
  readonly sinceMs: number;
}

export class Words {
  readonly #scene: Scene;
  readonly #said: { readonly intent: ControlIntent; readonly atMs: number }[] = [];
  readonly #waves = new Map<Region, { readonly wave: Wave; readonly atMs: number }>();
  #stopped: Stopped | undefined;
  #resumedAtMs = Number.NEGATIVE_INFINITY;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  said(intent: ControlIntent): void {
    this.#said.push({ intent, atMs: this.#scene.bench.nowMs });
  }

  event({ name, rollout, line }: FleetEvent): void {
    const actions = SAID_BEFORE[name];
    const goesOnByItself = name === 'rollout-resumed' && this.#stopped?.waits === true;
    if (actions !== undefined && IN_A_PERSONS_NAME.test(line) && !goesOnByItself)
      this.#judgeSaid(actions, rollout, line);
    if (rollout === undefined) return;
    const sinceMs = this.#scene.bench.nowMs;
    if (name === 'rollout-paused')
      this.#stopped = { rollout, by: 'paused', waits: WAITS.test(line), sinceMs };
    else if (name === 'rollout-aborted') this.#stopped = { rollout, by: 'aborted', waits: false, sinceMs };
    else if (name === 'rollout-resumed') {
      this.#stopped = undefined;
      this.#resumedAtMs = sinceMs;
    }
  }

  wave(wave: Wave): void {
    const { region, cursor, release, phase } = wave;
    const { bench, calm } = this.#scene;
    const { nowMs } = bench;
    const before = this.#waves.get(region);
    this.#waves.set(region, { wave, atMs: nowMs });
    const stopped = this.#stopped;
    if (phase !== 'paused' || stopped?.rollout !== release.rollout) return;
    // Both were written by this pause, and none of them by one that was over at once.
    if (before?.wave.phase !== 'paused' || before.atMs < stopped.sinceMs - WRITTEN_WITHIN_MS) return;
    if (before.atMs - this.#resumedAtMs < 2 * WRITTEN_WITHIN_MS) return;
    if (before.wave.release.rollout !== release.rollout || !calm.isBusCalm(CALM_MS, nowMs)) return;
    bench.judged('B14');
    if (cursor > before.wave.cursor)
      bench.break(
        'B14',
        `rollout ${release.rollout} is paused, and its cursor in ${region} moves to ${cursor}`,
        {
          region,
          rollout: release.rollout,
        },
      );
  }

  start({ report: { region, node, rollout, attempt }, claimedAtMs }: ToldStart): void {
    const stopped = this.#stopped;
    if (stopped?.rollout !== rollout || this.#isTakenBack(stopped, claimedAtMs)) return;
    const { bench, calm } = this.#scene;
    // That it went on by itself may not have been told yet.
    if (stopped.waits && !calm.isBusCalm(CALM_MS, bench.nowMs)) return;
    bench.judged('B14');
    if (!calm.hadTimeToObey(stopped.sinceMs, claimedAtMs)) return;
    const since = Math.round((claimedAtMs - stopped.sinceMs) / 1_000);
    bench.break(
      'B14',
      `${node} starts attempt ${attempt} at rollout ${rollout}, ${since} s after that was ${stopped.by}`,
      {
        region,
        node,
        rollout,
      },
    );
  }

  /** The event that tells of it may have to be told again. */
  #isTakenBack({ by, sinceMs }: Stopped, untilMs: number): boolean {
    return (
      by === 'paused' &&
      this.#said.some(({ intent, atMs }) => intent.action === 'resume' && atMs >= sinceMs && atMs <= untilMs)
    );
  }

  #judgeSaid(actions: readonly ControlAction[], rollout: number | undefined, line: string): void {
    const { bench } = this.#scene;
    bench.judged('B14');
    const wasSaid = this.#said.some(
      ({ intent, atMs }) =>
        atMs >= bench.nowMs - HEARD_WITHIN_MS &&
        actions.includes(intent.action) &&
        (!('rollout' in intent) || intent.rollout === undefined || intent.rollout === rollout),
    );
    if (wasSaid) return;
    bench.break('B14', `nobody has said ${actions.join(' or ')} of late: ${line}`, { rollout });
  }
}
