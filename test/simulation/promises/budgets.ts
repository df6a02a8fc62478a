/**
 * N11. Beyond the failure budget the rollout halts, and not before: counted anew from what nodes report and from the slots
 * that were declared lost.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { FailureBudget } from '@swell/shared/domain/policy.ts';
import { isBelow, rankOf } from '@swell/shared/domain/rank.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { KNOWN_AFTER_MS, READ_WITHIN_MS, type Scene, TOLD_WITHIN_MS, type ToldStart } from './scene.ts';

const BEGINNING = { spentSinceMs: undefined, isWatched: false, retry: 0 };

interface Count {
  readonly attempted: number;
  readonly failed: number;
}

/** What is said of a rollout that is under way. */
interface Running {
  readonly rollout: number;
  readonly lost: Set<NodeId>;
  /** Every node that has failed it or lost a slot in it, whatever came later. */
  readonly everFailed: Set<NodeId>;
  /** Since when its budget has been spent, sample and all. */
  spentSinceMs: number | undefined;
  /** How often its failed nodes have been told to try again: what they showed before counts no more. */
  retry: number;
  /** Its stage has ended, and is watched. */
  isWatched: boolean;
}

export class Budgets {
  readonly #scene: Scene;
  readonly #last = new Map<NodeId, { readonly report: NodeReport; readonly atMs: number }>();
  /** The present stage of each region. */
  readonly #waves = new Map<Region, Wave>();
  #running: Running | undefined;
  /** What was halted last; a loss that it was halted for may be told after it. */
  #halted: Running | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  report(report: NodeReport): void {
    this.#last.set(report.node, { report, atMs: this.#scene.bench.nowMs });
    const running = this.#running;
    if (hasFailed(report) && report.rollout === running?.rollout) running.everFailed.add(report.node);
    this.policyOrCountChanged();
  }

  event({ name, rollout, node, line }: FleetEvent): void {
    switch (name) {
      case 'rollout-started':
        if (rollout !== undefined)
          this.#running = { rollout, lost: new Set(), everFailed: new Set(), ...BEGINNING };
        return;
      case 'rollout-halted':
        this.#judgeHalt(rollout, line);
        return this.#end(rollout);
      case 'rollout-settled':
      case 'rollout-aborted':
        return this.#end(rollout);
      case 'stage-finished':
      case 'stage-staging':
        return this.#watch(rollout, name === 'stage-finished');
      case 'slot-lost':
        return this.#lose(rollout, node);
      default:
    }
  }

  wave(wave: Wave): void {
    this.#waves.set(wave.region, wave);
    const running = this.#running;
    const { rollout, retry = 0 } = wave.release;
    if (running?.rollout !== rollout || retry <= running.retry) return;
    running.retry = retry;
    running.lost.clear();
    this.policyOrCountChanged();
  }

  policyOrCountChanged(): void {
    const running = this.#running;
    if (running === undefined) return;
    const { bench, policies } = this.#scene;
    const [policy] = policies.since(bench.nowMs);
    const isSpent = policy !== undefined && spends(policy.failureBudget, this.#count(running), false);
    running.spentSinceMs = isSpent ? (running.spentSinceMs ?? bench.nowMs) : undefined;
  }

  #watch(rollout: number | undefined, isWatched: boolean): void {
    const running = this.#running;
    if (running !== undefined && running.rollout === rollout) running.isWatched = isWatched;
  }

  #lose(rollout: number | undefined, node: NodeId | undefined): void {
    if (node === undefined) return;
    const concerned = [this.#running, this.#halted].find((one) => one?.rollout === rollout);
    if (concerned === undefined) return;
    concerned.lost.add(node);
    concerned.everFailed.add(node);
    this.policyOrCountChanged();
  }

  #end(rollout: number | undefined): void {
    if (this.#running?.rollout === rollout) this.#running = undefined;
  }

  /** New stages may begin anew below who is at it already. */
  #isOfStage({ region, node }: NodeReport): boolean {
    const wave = this.#waves.get(region);
    return wave !== undefined && isBelow(rankOf(wave.seed, node), wave.stageBelow);
  }

  /** By the last word of each node, as long as that is about this rollout. */
  #count({ rollout, lost, retry: wanted }: Running): Count {
    let [attempted, failed] = [lost.size, lost.size];
    for (const { report } of this.#last.values()) {
      const { rollout: of, node, status, attempt, retry = 0 } = report;
      if (of !== rollout || lost.has(node) || (status === 'failed' && retry < wanted)) continue;
      if (hasFailed(report)) failed += 1;
      if (hasFailed(report) || (status === 'healthy' && attempt !== undefined)) attempted += 1;
    }
    return { attempted, failed };
  }

  start({ report: { region, node, rollout, attempt }, claimedAtMs }: ToldStart): void {
    const running = this.#running;
    if (running?.rollout !== rollout) return;
    this.#scene.bench.judged('N11');
    const { spentSinceMs } = running;
    if (spentSinceMs === undefined || !this.#scene.calm.hadTimeToObey(spentSinceMs, claimedAtMs)) return;
    const { attempted, failed } = this.#count(running);
    const since = Math.round((claimedAtMs - spentSinceMs) / 1_000);
    this.#scene.bench.break(
      'N11',
      `${node} starts attempt ${attempt} at rollout ${rollout}, whose failure budget has been spent for ${since} s (${failed} of ${attempted})`,
      { region, node, rollout },
    );
  }

  /** Its line gives the figures. */
  #judgeHalt(rollout: number | undefined, line: string): void {
    const running = this.#running;
    if (running === undefined || running.rollout !== rollout) return;
    const [, failed, attempted] = /is halted: (\d+) of (\d+) nodes failed$/.exec(line) ?? [];
    if (failed === undefined || attempted === undefined) return;
    const { bench, policies, after } = this.#scene;
    const told: Count = { failed: Number(failed), attempted: Number(attempted) };
    bench.judged('N11');
    this.#halted = running;
    if (told.failed > running.everFailed.size)
      after(TOLD_WITHIN_MS, () => this.#judgeFailures(running, told.failed));
    const budgets = policies.since(bench.nowMs - READ_WITHIN_MS).map(({ failureBudget }) => failureBudget);
    if (budgets.some((budget) => spends(budget, told, false))) return;
    const busy = budgets.some((budget) => spends(budget, told, true)) ? this.#busy(running) : [];
    if (busy === undefined) return;
    const why = busy.length === 0 ? 'which the policy allows' : `while ${busy.join(', ')} were still at it`;
    bench.break('N11', `rollout ${rollout} is halted for ${failed} of ${attempted}, ${why}`, { rollout });
  }

  #judgeFailures({ rollout, everFailed }: Running, failed: number): void {
    if (failed <= everFailed.size) return;
    const line = `rollout ${rollout} is halted for ${failed} failures of ${everFailed.size} nodes`;
    this.#scene.bench.break('N11', line, { rollout });
  }

  /** Who shows that a stage is not over, though its sample is small; undefined: it may be over. */
  #busy({ rollout, isWatched }: Running): readonly NodeId[] | undefined {
    const { bench, calm } = this.#scene;
    const { nowMs } = bench;
    if (isWatched || !calm.isBusCalm(KNOWN_AFTER_MS, nowMs)) return undefined;
    const busy = [...this.#last.values()]
      .filter(({ report }) => report.rollout === rollout && report.status === 'updating')
      .filter(({ report }) => this.#isOfStage(report))
      // Whoever begins in the same moment was not known to.
      .filter(({ atMs }) => calm.hadTimeToObey(atMs, nowMs))
      .map(({ report }) => report.node)
      .filter((node) => calm.isNodeCalm(node, KNOWN_AFTER_MS, nowMs));
    return busy.length === 0 ? undefined : busy;
  }
}

/** Who is not well on what cannot be undone counts for as long as he is not. */
function hasFailed({ status }: NodeReport): boolean {
  return status === 'failed' || status === 'unhealthy';
}

function spends(
  { max, minSample }: FailureBudget,
  { attempted, failed }: Count,
  isStageOver: boolean,
): boolean {
  // Nobody has come through the stage.
  if (isStageOver && attempted > 0 && failed === attempted) return true;
  if (max.kind === 'count') return failed > max.count;
  if (attempted === 0 || (attempted < minSample && !isStageOver)) return false;
  return failed * 100 > max.percent * attempted + 1e-9;
}
