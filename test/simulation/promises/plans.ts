/**
 * N5, P4, P2, B1, B2. When nodes may start, how fast, and who stays as he is: by the policies that people wrote. A
 * coordinator's clock is the bus's, so nothing of it is judged once that clock has jumped.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { nodesPaced, type SafeRate } from '@swell/shared/domain/pace.ts';
import { isOpenIn, type Policy } from '@swell/shared/domain/policy.ts';
import { rankOf } from '@swell/shared/domain/rank.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { READ_WITHIN_MS, type Scene, type ToldStart } from './scene.ts';

/** A window is looked back on in steps of this, so far. */
const LOOK_BACK_STEP_MS = 5_000;
const LOOK_BACK_MAX_MS = 3_600_000;
/** Between a coordinator's look at the clock and the bus's hour of what came of it. */
const CLOCK_TOLERANCE_MS = 2_000;

/** Where a region's cursor stood when a stage was first seen there, which is while it downloads. */
interface StageSeen {
  readonly rollout: number;
  readonly percent: number;
  readonly fromCursor: number;
  readonly atMs: number;
  cursor: number;
}

/** How many of a region's nodes a stage has let in, and how many its rate allows. */
interface Paced {
  readonly letIn: number;
  readonly most: number;
  readonly of: number;
  readonly safeRate: SafeRate;
}

export class Plans {
  readonly #scene: Scene;
  readonly #releases = new Map<number, { readonly storedAtMs: number; readonly urgent: boolean }>();
  readonly #stages = new Map<Region, StageSeen>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  released({ sequence, storedAtMs, body }: StoredMessage): void {
    const release = decode(body, releaseSchema);
    if (release.ok) this.#releases.set(sequence, { storedAtMs, urgent: release.value.urgent === true });
  }

  event({ name, rollout }: FleetEvent): void {
    if (name === 'rollout-started' && rollout !== undefined) this.#judgeCoolDown(rollout);
  }

  wave(wave: Wave): void {
    const { region, release, stage, cursor, phase } = wave;
    if (phase !== 'open' && phase !== 'staging') return;
    const { nowMs } = this.#scene.bench;
    const before = this.#stages.get(region);
    const isSame = before?.rollout === release.rollout && before.percent === stage.percent;
    if (!isSame) {
      // What it opens with may be a step already: the line begins where the stage before it ended.
      const fromCursor = before?.rollout === release.rollout ? this.#endOf(before, wave) : 0;
      const seen = {
        rollout: release.rollout,
        percent: stage.percent,
        fromCursor,
        atMs: nowMs,
        cursor: fromCursor,
      };
      this.#stages.set(region, seen);
      if (cursor > fromCursor) this.#judgePace(wave, seen);
      seen.cursor = Math.max(fromCursor, cursor);
    } else if (cursor > before.cursor) {
      this.#judgePace(wave, before);
      before.cursor = cursor;
    }
  }

  start({ report: { node, region, rollout }, claimedAtMs }: ToldStart): void {
    const { policies, calm } = this.#scene;
    const obeyed = policies.obeyed((fromMs) => calm.hadTimeToObey(fromMs, claimedAtMs));
    this.#judgeWindow(obeyed, region, claimedAtMs, rollout);
    this.#judgeHold(obeyed, node, region, rollout);
  }

  /** N5. Nobody starts in a region that has been closed for so long that everybody can know. */
  #judgeWindow(obeyed: readonly Policy[], region: Region, atMs: number, rollout: number): void {
    const { bench, calm, isClockTrue } = this.#scene;
    if (!isClockTrue() || obeyed.every(({ windows }) => windows === undefined)) return;
    bench.judged('N5');
    let sinceMs = atMs;
    const isClosed = (ms: number): boolean => obeyed.every((policy) => !isOpenIn(policy, region, ms));
    while (sinceMs > atMs - LOOK_BACK_MAX_MS && isClosed(sinceMs)) sinceMs -= LOOK_BACK_STEP_MS;
    if (sinceMs === atMs || !calm.hadTimeToObey(sinceMs + LOOK_BACK_STEP_MS, atMs)) return;
    bench.break('N5', `a node of ${region} starts outside its window`, { region, rollout });
  }

  /** B2. Nobody starts whom every policy that may be in force holds. */
  #judgeHold(obeyed: readonly Policy[], node: NodeId, region: Region, rollout: number): void {
    const { bench, labelsOf } = this.#scene;
    if (obeyed.every(({ hold = [] }) => hold.length === 0)) return;
    bench.judged('B2');
    const isHeld = ({ hold = [] }: Policy): boolean =>
      hold.some(
        (rule) =>
          rule.version === undefined &&
          (rule.label === undefined || labelsOf(node).includes(rule.label)) &&
          (rule.region === undefined || rule.region === region),
      );
    if (obeyed.every(isHeld)) bench.break('B2', `${node} starts, which is held`, { node, region, rollout });
  }

  /** Whom it let in at its very end, and its rate allowed, the first wave of the next stage shows. */
  #endOf(before: StageSeen, wave: Wave): number {
    if (wave.cursor <= before.cursor) return before.cursor;
    const paced = this.#paceOf(wave, before);
    // Where nobody can tell what it was allowed, that wave is the first place that is known.
    return paced === undefined || paced.letIn <= paced.most ? wave.cursor : before.cursor;
  }

  /** P4. A cursor that moves lets in no more of those that are there than its rate has let through since the stage opened. */
  #judgePace(wave: Wave, seen: StageSeen): void {
    const paced = this.#paceOf(wave, seen);
    if (paced === undefined) return;
    const { letIn, most, of, safeRate } = paced;
    const { bench } = this.#scene;
    bench.judged('P4');
    if (letIn <= most) return;
    const { region, release } = wave;
    bench.break(
      'P4',
      `rollout ${release.rollout} lets ${letIn} of ${of} nodes of ${region} in where its rate of ` +
        `${describeRate(safeRate)} allows ${most}`,
      { region, rollout: release.rollout },
    );
  }

  /** Undefined where nobody can tell. */
  #paceOf({ region, seed, cursor, canaries }: Wave, { fromCursor, atMs }: StageSeen): Paced | undefined {
    const { bench, policies, known, isClockTrue } = this.#scene;
    const [{ safeRate } = {}, ...others] = policies.since(atMs - READ_WITHIN_MS);
    const isSame = others.every((policy) => sameValue(policy.safeRate, safeRate));
    if (safeRate === undefined || !isSame || canaries !== undefined || !isClockTrue()) return undefined;
    const nodes = known(region);
    if (nodes === undefined) return undefined;
    const ranks = nodes.map((node) => rankOf(seed, node));
    const letIn = ranks.filter((rank) => rank >= fromCursor && rank < cursor).length;
    const most = nodesPaced(safeRate, nodes.length, bench.nowMs - atMs + CLOCK_TOLERANCE_MS);
    return { letIn, most, of: nodes.length, safeRate };
  }

  /** B1. */
  #judgeCoolDown(rollout: number): void {
    const { bench, policies, isClockTrue } = this.#scene;
    const release = this.#releases.get(rollout);
    if (release === undefined || release.urgent || !isClockTrue()) return;
    const all = policies.since(release.storedAtMs - READ_WITHIN_MS).map(({ coolDownMs }) => coolDownMs);
    const least = Math.min(...all);
    if (least === 0) return;
    bench.judged('B1');
    const waitedMs = bench.nowMs - release.storedAtMs;
    if (waitedMs >= least) return;
    bench.break('B1', `rollout ${rollout} begins ${waitedMs} ms after its release, not ${least}`, {
      rollout,
    });
  }
}

function describeRate({ percent, perMs }: SafeRate): string {
  return `${percent} % in ${perMs / 1_000} s`;
}
