/** What really is on the one node, judged at every deed and every change, and at the end; and the log that it leaves. */

import type { Holder } from '@swell/agent/core/node-lease.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import { isResult, type NodeReport } from '@swell/shared/domain/report.ts';
import { createChecker } from '@swell/shared/domain/rules.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import type { Process } from '../process.ts';
import type { VirtualTime } from '../time.ts';
import type { DiskModel } from './disk-model.ts';
import type { DockerdModel } from './dockerd-model.ts';

export interface Violation {
  /** One of the checker's; `one acts`: who acts holds the lease; `one is kept`: Docker starts an agent again. */
  readonly rule: string;
  readonly message: string;
}

/** A report waits in its journal for as long as its node is off or cut off. */
const PATIENCE_MS = 300_000;

export interface TruthGround {
  readonly service: string;
  readonly time: VirtualTime;
  readonly dockerd: DockerdModel;
  readonly disk: DiskModel;
  /** The restart policy of the agent's container. */
  readonly policy: string;
}

export class NodeTruth {
  /** The first thing that was not as it has to be. */
  violation: Violation | undefined;
  readonly reports: NodeReport[] = [];
  lastReportMs: number;
  readonly #ground: TruthGround;
  readonly #checker = createChecker({ toleranceMs: 0, patienceMs: PATIENCE_MS });

  constructor(ground: TruthGround) {
    this.#ground = ground;
    this.lastReportMs = ground.time.nowMs;
  }

  /** Exactly one agent acts: whom the newest term names. Who was stopped between his look and his deed goes on just now. */
  sawDeed(process: Process, holder: Holder, name: string): void {
    const { disk, time } = this.#ground;
    const { lease } = disk;
    const isOurs = sameValue(lease.holder, holder) && lease.released !== true;
    const isCaught = process.calmSinceMs === time.nowMs;
    if (!isOurs && !isCaught && process.isAlive)
      this.break('one acts', `${process.name} does ${name}, and the lease is ${JSON.stringify(lease)}`);
  }

  /** At every moment there is an agent that Docker starts again. */
  sawChange(): void {
    const begun = [...this.#ground.dockerd.containers.values()].filter(({ status }) => status !== 'created');
    const isKept = begun.some(({ policy, isByHand }) => policy !== 'no' && !isByHand);
    if (begun.length > 0 && !isKept) this.break('one is kept', `Docker would start none: ${this.describe()}`);
  }

  sawEntry(entry: LogEntry): void {
    if (entry.kind === 'report') {
      this.reports.push(entry.report);
      this.lastReportMs = this.#ground.time.nowMs;
    }
    for (const { rule, message } of this.#checker.check(entry)) this.break(rule, message);
  }

  crashed(name: string, error: unknown): void {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.break('crash', `${name}: ${why}`);
  }

  /** One agent, in its place, with nothing half done and nothing unsaid. */
  get isQuiet(): boolean {
    const { dockerd, disk, service, policy } = this.#ground;
    const [container, ...others] = dockerd.containers.values();
    const { attempt, outbox = [] } = disk.journal(service) ?? {};
    const isAlone = others.length === 0 && container?.name === service && container.status === 'running';
    return isAlone && container.policy === policy && attempt === undefined && outbox.length === 0;
  }

  /** All is over: what is left is what the last result says. */
  finish(): void {
    if (this.violation !== undefined) return;
    if (!this.isQuiet) return this.break('I9', `it came to no end: ${this.describe()}`);
    const [container] = this.#ground.dockerd.containers.values();
    const last = this.reports.findLast(({ status }) => isResult(status))?.running;
    if (last !== undefined && container?.imageId !== last)
      this.break('I9', `the last result was on ${last}, and ${this.describe()}`);
    for (const { rule, message } of this.#checker.finish()) this.break(rule, message);
  }

  describe(): string {
    const { dockerd, disk, service } = this.#ground;
    const containers = [...dockerd.containers.values()].map(
      ({ name, imageId, status, policy }) => `${name} (${imageId.slice(7, 11)}, ${status}, ${policy})`,
    );
    const { attempt } = disk.journal(service) ?? {};
    return `${containers.join(', ')}; attempt ${attempt?.id ?? 'none'}; lease ${JSON.stringify(disk.lease)}`;
  }

  break(rule: string, message: string): void {
    this.violation ??= { rule, message: `${new Date(this.#ground.time.nowMs).toISOString()}: ${message}` };
  }
}
