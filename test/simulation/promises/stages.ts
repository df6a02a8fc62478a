/**
 * N4, P3, N5. A stage takes in no more than its share, is watched for as long as the policy says, and is followed by the
 * next one only where the policy or a person lets it. Judged where nothing disturbs the bus: else coordinators may know
 * less than we do.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { ControlIntent } from '@swell/shared/domain/intent.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { Policy } from '@swell/shared/domain/policy.ts';
import { rankOf } from '@swell/shared/domain/rank.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { KNOWN_AFTER_MS, READ_WITHIN_MS, type Scene, TOLD_WITHIN_MS } from './scene.ts';

const SOAK_TOLERANCE_MS = 2_000;

/** How the last stage of a rollout went. */
interface Stage {
  readonly rollout: number;
  readonly enteredAtMs: number;
  finishedAtMs?: number;
  /** It was that of the canaries. */
  ofCanaries?: boolean;
}

export class Stages {
  readonly #scene: Scene;
  readonly #waves = new Map<Region, Wave>();
  readonly #approvedAtMs: { readonly rollout: number; readonly atMs: number }[] = [];
  /** Words that open all stages up to a percentage. */
  readonly #approvedTo: {
    readonly intent: ControlIntent & { readonly action: 'approve' };
    readonly atMs: number;
  }[] = [];
  #stage: Stage | undefined;
  #startedAtMs = Number.NEGATIVE_INFINITY;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  said(intent: ControlIntent): void {
    if (intent.action === 'approve') this.#approvedTo.push({ intent, atMs: this.#scene.bench.nowMs });
  }

  event({ name, rollout, line }: FleetEvent): void {
    if (rollout === undefined) return;
    const { nowMs } = this.#scene.bench;
    switch (name) {
      case 'rollout-started':
        this.#startedAtMs = nowMs;
        return;
      case 'stage-approved':
        this.#approvedAtMs.push({ rollout, atMs: nowMs });
        return;
      case 'stage-staging':
        this.#judgeFollows(rollout, nowMs);
        this.#judgeApproved(rollout, Number(/up to ([\d.]+) %/.exec(line)?.[1]));
        this.#stage = { rollout, enteredAtMs: nowMs };
        return;
      case 'stage-finished':
        if (this.#stage?.rollout !== rollout) return;
        this.#stage.finishedAtMs = nowMs;
        // The waves may be those of the next stage already.
        this.#stage.ofCanaries = line.includes('its canaries');
        return;
      case 'approval-awaited':
      case 'rollout-settled':
        return this.#judgeFollows(rollout, nowMs);
      default:
    }
  }

  wave(wave: Wave): void {
    const before = this.#waves.get(wave.region);
    this.#waves.set(wave.region, wave);
    if (wave.phase !== 'open') return;
    const isSame = before?.release.rollout === wave.release.rollout;
    const from = isSame ? before.cursor : 0;
    if (wave.cursor <= from) return;
    this.#judgeShare(wave, from);
    if (from === 0) this.#judgeGroup(wave);
  }

  /** N4. Nobody is let in who stands behind the stage's share of the line. */
  #judgeShare({ region, seed, cursor, stage, release, canaries }: Wave, from: number): void {
    // Those that are named stand in front of the line, or beside it.
    if (canaries !== undefined) return;
    const { bench, known } = this.#scene;
    const nodes = known(region);
    if (nodes === undefined) return;
    const ranks = nodes.map((node) => rankOf(seed, node)).toSorted((a, b) => a - b);
    const size = Math.ceil((nodes.length * stage.percent) / 100 - 1e-9);
    bench.judged('N4');
    const behind = ranks.slice(size).filter((rank) => rank >= from && rank < cursor);
    if (behind.length === 0) return;
    bench.break(
      'N4',
      `rollout ${release.rollout} lets ${behind.length} nodes of ${region} in beyond the ${size} of ${nodes.length} that are ${stage.percent} %`,
      { region, rollout: release.rollout },
    );
  }

  /** N5. A group of regions has its turn when those before it are through. */
  #judgeGroup({ region, release }: Wave): void {
    const { bench, policies, calm, known } = this.#scene;
    const [policy, ...others] = policies.since(this.#startedAtMs - READ_WITHIN_MS);
    if (policy === undefined || others.length > 0 || policy.regions === 'parallel') return;
    if (!calm.isBusCalm(KNOWN_AFTER_MS, bench.nowMs)) return;
    const groups = policy.regions;
    const place = groups.findIndex((group) => group.includes(region));
    const before = (place < 0 ? groups : groups.slice(0, place)).flat();
    for (const earlier of before) {
      const nodes = known(earlier) ?? [];
      if (nodes.length === 0) continue;
      bench.judged('N5');
      const wave = this.#waves.get(earlier);
      const isThrough =
        wave?.release.rollout === release.rollout && nodes.every((node) => isLetIn(wave, node));
      if (!isThrough)
        bench.break('N5', `rollout ${release.rollout} opens ${region} before ${earlier} is through`, {
          region,
          rollout: release.rollout,
        });
    }
  }

  /** N4. A finished stage is watched before anything follows. */
  #judgeFollows(rollout: number, nowMs: number): void {
    const finishedAtMs = this.#stage?.rollout === rollout ? this.#stage.finishedAtMs : undefined;
    if (finishedAtMs === undefined || this.#stage === undefined) return;
    delete this.#stage.finishedAtMs;
    const { bench, policies, calm } = this.#scene;
    const watchedMs = nowMs - finishedAtMs;
    if (!calm.isBusCalm(watchedMs + KNOWN_AFTER_MS, nowMs)) return;
    const [policy, ...others] = policies.since(finishedAtMs - READ_WITHIN_MS);
    if (policy === undefined || others.length > 0) return;
    this.#judgeGates(policy, rollout, finishedAtMs);
    bench.judged('N4');
    const { canary, firstGroupSoakMs = policy.soakMs } = policy;
    // Of a first group's end only that it may be watched for another time than the rest is known here.
    const soakMs =
      this.#stage.ofCanaries === true
        ? (canary?.soakMs ?? policy.soakMs)
        : Math.min(policy.soakMs, firstGroupSoakMs);
    if (watchedMs + SOAK_TOLERANCE_MS >= soakMs) return;
    bench.break('N4', `a stage of rollout ${rollout} is watched for ${watchedMs} ms, not for ${soakMs}`, {
      rollout,
    });
  }

  /** N10. Nothing follows a stage of which Prometheus has said nothing since. */
  #judgeGates({ gates = [] }: Policy, rollout: number, finishedAtMs: number): void {
    if (gates.length === 0) return;
    const { bench, prometheusSpokeAtMs } = this.#scene;
    bench.judged('N10');
    if (prometheusSpokeAtMs() >= finishedAtMs - SOAK_TOLERANCE_MS) return;
    bench.break('N10', `a stage of rollout ${rollout} is followed though no gate has been answered`, {
      rollout,
    });
  }

  /** By one word for it and others, which need not be told of each. */
  #isApprovedTo(rollout: number, percent: number): boolean {
    return this.#approvedTo.some(
      ({ intent, atMs }) =>
        atMs >= this.#startedAtMs - READ_WITHIN_MS &&
        'toPercent' in intent &&
        (intent.toPercent ?? 0) >= percent &&
        (intent.rollout === undefined || intent.rollout === rollout),
    );
  }

  /** P3. Where the policy wants a person to open the next stage, one has. */
  #judgeApproved(rollout: number, percent: number): void {
    const { bench, policies, after } = this.#scene;
    const stage = this.#stage;
    if (stage?.rollout !== rollout) return;
    const [policy, ...others] = policies.since(stage.enteredAtMs - READ_WITHIN_MS);
    if (policy?.approval !== 'manual' || others.length > 0) return;
    if (this.#isApprovedTo(rollout, percent)) return;
    after(TOLD_WITHIN_MS, () => {
      bench.judged('P3');
      const wasApproved = this.#approvedAtMs.some(
        (one) => one.rollout === rollout && one.atMs > stage.enteredAtMs,
      );
      if (!wasApproved)
        bench.break(
          'P3',
          `the next stage of rollout ${rollout} opens without a word, which the policy wants`,
          {
            rollout,
          },
        );
    });
  }
}

/** Where a region is so small that its first stages are all of it, its cursor never comes to the end. */
function isLetIn({ seed, cursor, canaries = [] }: Wave, node: NodeId): boolean {
  return cursor === 1 || canaries.includes(node) || rankOf(seed, node) < cursor;
}
