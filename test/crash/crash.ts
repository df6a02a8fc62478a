/**
 * The whole test: counts every point of each flow in undisturbed runs, then gives every point a life that ends there; and
 * restarts a dockerd under a sample of them.
 */

import { testDocker } from '../support/docker.ts';
import { inLanes } from '../support/lanes.ts';
import { freePorts } from '../support/ports.ts';
import { FLOWS, type FlowName } from './flow.ts';
import { Ground } from './ground.ts';
import { Machine } from './machine.ts';
import type { Blow, CrashOptions } from './options.ts';
import { noOwnDockerd, OwnDockerd } from './own-dockerd.ts';
import { commonPoints, formatPoint, isTimed, type Point, parsePoint } from './point.ts';
import { type Place, RESTARTS, type Restart, restartAt, samplePlaces } from './restarts.ts';
import { runTrial, type Trial } from './trial.ts';

/** What an undisturbed run has but another one has not is a matter of timing. */
const COUNTS = 3;
/** A point that depends on timing after all is waited for this often. */
const TRIES = 3;
const SLOT_LEASE_MS = 3_000;
const RESTARTS_PER_FLOW = 8;

export interface Failure {
  readonly flow: FlowName;
  readonly blow: Blow;
  readonly point: string;
  readonly problems: readonly string[];
  readonly replay: string;
  readonly logs: string;
}

export interface Summary {
  /** Distinct points, over all flows. */
  readonly points: number;
  /** Lives that something befell. */
  readonly runs: number;
  readonly ok: number;
  readonly failed: readonly Failure[];
  /** Points of timed effects that did not come up again: tried, and no part of the figures above. */
  readonly missed: readonly string[];
  /** What could not be tried here, and why: it is no part of the figures above. */
  readonly skipped?: string;
}

export class Crash {
  readonly #options: CrashOptions;
  readonly #say: (line: string) => void;
  readonly #ground: Ground;
  readonly #machine: Machine;
  readonly #ports: readonly number[];
  readonly #failed: Failure[] = [];
  readonly #missed: string[] = [];
  #runs = 0;

  private constructor(
    options: CrashOptions,
    parts: { ground: Ground; machine: Machine; ports: readonly number[] },
    say: (line: string) => void,
  ) {
    this.#options = options;
    this.#ground = parts.ground;
    this.#machine = parts.machine;
    this.#ports = parts.ports;
    this.#say = say;
  }

  static async run(
    options: CrashOptions,
    dockerHost: string,
    say: (line: string) => void,
    stop: AbortSignal,
  ): Promise<Summary> {
    await using ground = await Ground.open(stop);
    await using machine = await Machine.prepare(testDocker(), dockerHost, ground.registry);
    const ports = await freePorts(options.lanes);
    const crash = new Crash(options, { ground, machine, ports }, say);
    return await crash.#run();
  }

  async #run(): Promise<Summary> {
    const points = await this.#count();
    const wanted = new Map([...points].map(([flow, all]) => [flow, this.#wanted(all)]));
    const total = [...wanted.values()].reduce((sum, { length }) => sum + length, 0);
    if (this.#options.lists) {
      for (const [flow, all] of points) {
        all.forEach((point, index) => this.#say(`${flow} ${index + 1}: ${formatPoint(point)}`));
      }
      return { points: total, runs: 0, ok: 0, failed: [], missed: [] };
    }
    if (total === 0) throw new Error(`no flow has a point "${this.#options.point}"; --list shows all`);
    if (this.#options.blows.includes('kill')) await this.#killAll(wanted);
    const skipped = await this.#restartAll(wanted);
    return {
      points: total - new Set(this.#missed).size,
      runs: this.#runs,
      ok: this.#runs - this.#failed.length,
      failed: this.#failed,
      missed: this.#missed,
      ...(skipped !== undefined && { skipped }),
    };
  }

  /** The points of each flow, from runs that nothing befalls; these must be well themselves. */
  async #count(): Promise<ReadonlyMap<FlowName, readonly Point[]>> {
    const { flows, point } = this.#options;
    const given = point === undefined ? undefined : parsePoint(point);
    if (given !== undefined) return new Map(flows.map((flow) => [flow, [given]]));
    const counted = new Map<FlowName, Trial[]>(flows.map((flow) => [flow, []]));
    const due = flows.flatMap((flow) => Array.from({ length: COUNTS }, () => flow));
    await inLanes(due, this.#ports, async (flow, port) => {
      const trial = await runTrial({ ...this.#parts(port), flow: FLOWS[flow] });
      this.#ground.stop.throwIfAborted();
      if (trial.problems.length > 0) {
        throw new Error(
          `the ${flow} flow does not even end well undisturbed: ${trial.problems.join('; ')} (${this.#logs(trial)})`,
        );
      }
      counted.get(flow)?.push(trial);
    });
    return new Map(
      [...counted].map(([flow, trials]) => [flow, commonPoints(trials.map(({ passed }) => passed))]),
    );
  }

  #wanted(points: readonly Point[]): readonly Point[] {
    const { point } = this.#options;
    if (point === undefined) return points;
    return points.filter((one, index) => formatPoint(one) === point || String(index + 1) === point);
  }

  async #killAll(points: ReadonlyMap<FlowName, readonly Point[]>): Promise<void> {
    const places = [...points].flatMap(([flow, all]) => all.map((point) => ({ flow, point })));
    let done = 0;
    await inLanes(
      places,
      this.#ports,
      async (place, port) => {
        const trial = await this.#kill(place, port);
        done += 1;
        this.#note('kill', place, trial, `${done}/${places.length}`);
      },
      this.#ground.stop,
    );
  }

  async #kill({ flow, point }: Place, port: number): Promise<Trial> {
    for (let tries = 1; ; tries += 1) {
      const trial = await runTrial({ ...this.#parts(port), flow: FLOWS[flow], point });
      if (trial.reached || trial.problems.length > 0 || tries === TRIES) return trial;
    }
  }

  /** Returns why it was not done, where it could not be. */
  async #restartAll(points: ReadonlyMap<FlowName, readonly Point[]>): Promise<string | undefined> {
    const wanted = RESTARTS.filter((restart) => this.#options.blows.includes(restart));
    if (wanted.length === 0) return undefined;
    const reason = await noOwnDockerd();
    if (reason !== undefined) return `restarts of dockerd: ${reason}`;
    const ground = this.#ground;
    await using dockerd = await OwnDockerd.open();
    await using machine = await Machine.prepare(dockerd.docker, dockerd.host, ground.registry);
    for (const restart of wanted) {
      if (this.#ground.stop.aborted) break;
      await this.#restart(restart, samplePlaces(points, restart, RESTARTS_PER_FLOW), {
        ground,
        machine,
        dockerd,
      });
    }
    return undefined;
  }

  async #restart(
    restart: Restart,
    places: readonly Place[],
    parts: Parameters<typeof restartAt>[2],
  ): Promise<void> {
    let due = places;
    for (let tries = 1; due.length > 0; tries += 1) {
      const trials = await restartAt(restart, due, parts);
      const missed: Place[] = [];
      due.forEach((place, index) => {
        const trial = trials[index];
        if (trial === undefined) return;
        if (trial.reached || trial.problems.length > 0 || tries === TRIES) {
          this.#note(restart, place, trial, `${index + 1}/${due.length}`);
        } else missed.push(place);
      });
      due = missed;
    }
  }

  #note(blow: Blow, { flow, point }: Place, trial: Trial, progress: string): void {
    const name = formatPoint(point);
    if (!trial.reached && trial.problems.length === 0 && isTimed(point)) {
      this.#say(`${blow} ${progress} ${flow}: ${name} did not come up`);
      this.#missed.push(`${flow}: ${name}`);
      return;
    }
    // Cut off by somebody's wish, it shows nothing.
    if (this.#ground.stop.aborted) return;
    this.#runs += 1;
    const problems = trial.reached ? trial.problems : ['it never came to this point', ...trial.problems];
    this.#say(`${blow} ${progress} ${flow}: ${name} ${problems.length === 0 ? 'ok' : 'FAILED'}`);
    if (problems.length === 0) return;
    for (const problem of problems) this.#say(`    ${problem}`);
    const replay = `npm run crash -- --flow ${flow} --blow ${blow} --point '${name}'`;
    const logs = this.#logs(trial);
    this.#say(`    ${replay}\n    ${logs}`);
    this.#failed.push({ flow, blow, point: name, problems, replay, logs });
  }

  #parts(port: number) {
    return { ground: this.#ground, machine: this.#machine, port, slotLeaseMs: SLOT_LEASE_MS };
  }

  #logs({ name }: Trial): string {
    return `${this.#ground.directory}/${name}.log`;
  }
}
