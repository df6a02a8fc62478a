/**
 * K3. What depends on other services follows them: by what the log shows of each, it neither begins before them nor goes on
 * while one of them goes back, or is not on what it began on. Judged where policies have stayed and nothing disturbs the bus.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { READ_WITHIN_MS, type Scene, type ToldStart } from './scene.ts';

const CALM_MS = 60_000;
const WAITS = /is paused: it waits for/;

/** All services of a world, each with what the log shows of it. */
export type Precedences = Map<ServiceName, Precedence>;

/** One release, from its publication on. */
interface Course {
  readonly rollout: number;
  readonly publishedAtMs: number;
  readonly train: string | undefined;
  readonly trainOf: readonly ServiceName[];
  acceptedAtMs?: number;
  startedAtMs?: number;
  /** It is under way no more: it was stopped, replaced, or has settled. */
  endedAtMs?: number;
  /** It waits for another service, as its pause says. */
  pausedAtMs?: number;
  /** What each service that comes before it was on, or was about to be on, when it began. */
  behind?: ReadonlyMap<ServiceName, number>;
}

type Per = 'fleet' | 'region';

export class Precedence {
  readonly #scene: Scene;
  readonly #service: ServiceName;
  readonly #table: Precedences;
  readonly #courses = new Map<number, Course>();
  readonly #digests = new Map<number, Digest>();
  readonly #waves = new Map<Region, Wave>();
  readonly #last = new Map<NodeId, { readonly report: NodeReport; readonly atMs: number }>();
  readonly #resumedAtMs: number[] = [];
  /** What it has settled on and was not taken back, the newest last. */
  #settled: readonly number[] = [];
  /** When that was last less than before. */
  #lostAtMs = Number.NEGATIVE_INFINITY;
  #present: number | undefined;
  #haltedAtMs: number | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#service = scene.service;
    this.#table = scene.precedences;
    this.#table.set(this.#service, this);
  }

  released({ sequence: rollout, body }: StoredMessage): void {
    const release = decode(body, releaseSchema);
    if (!release.ok) return;
    const { train, trainOf = [] } = release.value;
    const publishedAtMs = this.#scene.bench.nowMs;
    this.#courses.set(rollout, { rollout, publishedAtMs, train, trainOf });
  }

  resumes(): void {
    this.#resumedAtMs.push(this.#scene.bench.nowMs);
  }

  wave(wave: Wave): void {
    this.#waves.set(wave.region, wave);
    this.#digests.set(wave.release.rollout, wave.release.image.digest);
  }

  report(report: NodeReport): void {
    this.#last.set(report.node, { report, atMs: this.#scene.bench.nowMs });
  }

  event({ name, rollout, line }: FleetEvent): void {
    const course = this.#courses.get(rollout ?? 0);
    if (course === undefined) return;
    const { nowMs } = this.#scene.bench;
    switch (name) {
      case 'release-accepted':
        course.acceptedAtMs = nowMs;
        return;
      case 'rollout-started':
        return this.#begin(course);
      case 'rollout-paused':
        if (WAITS.test(line)) course.pausedAtMs ??= nowMs;
        return;
      case 'rollout-halted':
        course.endedAtMs ??= nowMs;
        return this.#halt(course.rollout);
      case 'rollout-settled':
        course.endedAtMs ??= nowMs;
        this.#settled = [...this.#settled, course.rollout];
        return;
      case 'rollout-rested':
      case 'rollout-aborted':
      case 'rollout-superseded':
      case 'release-rejected':
        course.endedAtMs ??= nowMs;
        if (course.rollout === this.#present) this.#haltedAtMs = undefined;
        return;
      default:
    }
  }

  start({ report: { region, node, rollout, attempt }, claimedAtMs }: ToldStart): void {
    const course = this.#courses.get(rollout);
    const below = course === undefined ? undefined : this.#below(course);
    if (course?.behind === undefined || below === undefined || below.size === 0) return;
    if (!this.#scene.calm.isBusCalm(CALM_MS, this.#scene.bench.nowMs)) return;
    if (this.#isLetGoOn(course, claimedAtMs)) return;
    for (const [service, per] of below) {
      const number = course.behind.get(service) ?? 0;
      const why = this.#table.get(service)?.hinders(number, per, region, claimedAtMs);
      this.#scene.bench.judged('K3');
      if (why === undefined) continue;
      const what = `${node} starts attempt ${attempt} at rollout ${rollout} of ${this.#service}`;
      this.#scene.bench.break('K3', `${what}, though ${why}`, { region, node, rollout });
    }
  }

  /** Why nobody may start who has begun behind that rollout of this service, if it was so for long enough. */
  hinders(number: number, per: Per, region: Region, atMs: number): string | undefined {
    const { calm } = this.#scene;
    if (this.#haltedAtMs !== undefined && calm.hadTimeToObey(this.#haltedAtMs, atMs))
      return `rollout ${this.#present} of ${this.#service} goes back`;
    if (this.#newest >= number) return undefined;
    const present = this.#underWay();
    if (present === undefined || present.rollout < number || per === 'fleet') {
      const sinceMs = Math.max(this.#lostAtMs, this.#endedAtMs(present));
      if (!calm.hadTimeToObey(sinceMs, atMs)) return undefined;
      return `${this.#service} has not settled on rollout ${number} or a later one`;
    }
    return this.#isThrough(present.rollout, region, atMs)
      ? undefined
      : `rollout ${present.rollout} of ${this.#service} is not through in ${region}`;
  }

  /** What a release that begins now begins behind, as far as everybody can know. */
  behindNow(): number {
    const { bench, calm } = this.#scene;
    const present = this.#underWay();
    const isKnown = calm.hadTimeToObey(present?.startedAtMs ?? Number.POSITIVE_INFINITY, bench.nowMs);
    return isKnown ? (present?.rollout ?? 0) : this.#newest;
  }

  get #newest(): number {
    return Math.max(0, ...this.#settled);
  }

  #underWay(): Course | undefined {
    const course = this.#present === undefined ? undefined : this.#courses.get(this.#present);
    return course?.endedAtMs === undefined ? course : undefined;
  }

  /** Since when nothing has been under way; of what is, since when it has been. */
  #endedAtMs(present: Course | undefined): number {
    if (present !== undefined) return present.startedAtMs ?? Number.POSITIVE_INFINITY;
    const last = this.#present === undefined ? undefined : this.#courses.get(this.#present);
    return last?.endedAtMs ?? Number.NEGATIVE_INFINITY;
  }

  #begin(course: Course): void {
    const { nowMs } = this.#scene.bench;
    course.startedAtMs = nowMs;
    const before = this.#underWay();
    if (before !== undefined) before.endedAtMs = nowMs;
    this.#present = course.rollout;
    this.#haltedAtMs = undefined;
    const below = this.#below(course);
    if (below === undefined) return;
    course.behind = new Map([...below.keys()].map((one) => [one, this.#table.get(one)?.behindNow() ?? 0]));
    if (!this.#scene.calm.isBusCalm(CALM_MS, nowMs)) return;
    for (const [service, per] of below) {
      const why = this.#table.get(service)?.keepsFromBeginning(course, per);
      this.#scene.bench.judged('K3');
      if (why === undefined) continue;
      const what = `rollout ${course.rollout} of ${this.#service} begins`;
      this.#scene.bench.break('K3', `${what}, though ${why}`, { rollout: course.rollout });
    }
  }

  /** Why a release of another service may not begin now. */
  keepsFromBeginning(release: Course, per: Per): string | undefined {
    const { bench, calm } = this.#scene;
    const { nowMs } = bench;
    const present = this.#underWay();
    const isLong = (sinceMs: number | undefined): boolean =>
      sinceMs !== undefined && calm.hadTimeToObey(sinceMs, nowMs);
    if (isLong(this.#haltedAtMs)) return `rollout ${this.#present} of ${this.#service} goes back`;
    if (per === 'fleet' && isLong(present?.startedAtMs))
      return `rollout ${present?.rollout} of ${this.#service} is under way`;
    for (const { rollout, acceptedAtMs, startedAtMs, endedAtMs } of this.#courses.values()) {
      const isWaiting = startedAtMs === undefined && endedAtMs === undefined && isLong(acceptedAtMs);
      if (rollout < release.rollout && isWaiting) return `release ${rollout} of ${this.#service} comes first`;
    }
    return this.#lacks(release, per) ?? this.#lags(release, per);
  }

  /** It waits for a member of its train. */
  #lacks({ train, trainOf }: Course, per: Per): string | undefined {
    if (train === undefined || !trainOf.includes(this.#service)) return undefined;
    const isOf = (rollout: number | undefined): boolean => this.#courses.get(rollout ?? 0)?.train === train;
    if (this.#settled.some(isOf) || (per === 'region' && isOf(this.#underWay()?.rollout))) return undefined;
    return `no release of ${this.#service} in ${train} has settled`;
  }

  /** What it saw under way while it waited has to settle, or something later. */
  #lags({ rollout, publishedAtMs, train }: Course, per: Per): string | undefined {
    const { bench, calm } = this.#scene;
    const first = [...this.#courses.values()].filter(
      (one) =>
        one.startedAtMs !== undefined &&
        (one.rollout < rollout || (train !== undefined && one.train === train)) &&
        calm.hadTimeToObey(Math.max(one.startedAtMs, publishedAtMs), one.endedAtMs ?? bench.nowMs),
    );
    const ahead = Math.max(0, ...first.map((one) => one.rollout));
    const present = this.#underWay()?.rollout ?? 0;
    if (this.#newest >= ahead || (per === 'region' && present >= ahead)) return undefined;
    return `${this.#service} has not settled on rollout ${ahead} or a later one`;
  }

  #halt(rollout: number): void {
    const { nowMs } = this.#scene.bench;
    const digest = this.#digests.get(rollout);
    const left = this.#settled.filter(
      (one) => one !== rollout && (digest === undefined || this.#digests.get(one) !== digest),
    );
    if (left.length < this.#settled.length) this.#lostAtMs = nowMs;
    this.#settled = left;
    if (rollout === this.#present) this.#haltedAtMs = nowMs;
  }

  /** A region that is through has everybody let in, and nobody in the middle of it. */
  #isThrough(rollout: number, region: Region, atMs: number): boolean {
    const { calm } = this.#scene;
    const wave = this.#waves.get(region);
    if (wave?.release.rollout !== rollout || wave.cursor !== 1) return false;
    return ![...this.#last.values()].some(
      ({ report, atMs: saidAtMs }) =>
        report.region === region &&
        report.rollout === rollout &&
        report.status === 'updating' &&
        calm.hadTimeToObey(saidAtMs, atMs) &&
        calm.isNodeCalm(report.node, CALM_MS, this.#scene.bench.nowMs),
    );
  }

  /** A person's word is the last one about a rollout that waits for others. */
  #isLetGoOn({ pausedAtMs }: Course, untilMs: number): boolean {
    return (
      pausedAtMs !== undefined &&
      this.#resumedAtMs.some((atMs) => atMs >= pausedAtMs - CALM_MS && atMs <= untilMs)
    );
  }

  /** All that it depends on, by policies that have stayed since it was published; undefined: some have not. */
  #below({ publishedAtMs }: Course): ReadonlyMap<ServiceName, Per> | undefined {
    const found = new Map<ServiceName, Per>();
    return this.gather(found, 'region', publishedAtMs - READ_WITHIN_MS) ? found : undefined;
  }

  /** As a whole, where any way to it asks for that. Nobody depends on himself here. */
  gather(found: Map<ServiceName, Per>, by: Per, sinceMs: number): boolean {
    const [first = [], ...others] = this.#scene.policies
      .since(sinceMs)
      .map(({ dependsOn }) => dependsOn ?? []);
    if (!others.every((one) => sameValue(one, first))) return false;
    return first.every(({ service, per }) => {
      const asked = by === 'fleet' ? by : per;
      if (found.get(service) !== 'fleet') found.set(service, asked);
      return this.#table.get(service)?.gather(found, asked, sinceMs) ?? true;
    });
  }
}
