/** All who judge what becomes of one service. */

import type { AgentEvent } from '@swell/agent/core/events.ts';
import type { ServiceState } from '@swell/agent/core/state.ts';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import type { Violation } from '@swell/shared/domain/rules/rule.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { NodeModel } from '../node-model.ts';
import type { Promises } from '../promises/promises.ts';
import type { Truth } from '../truth.ts';
import { Excuses } from './excuses.ts';
import { LogCheck } from './log-check.ts';

/** What the checker has found, the nodes that it names, and why nobody could have kept it, if nobody could. */
export interface Finding {
  readonly violation: Violation;
  readonly named: readonly NodeId[];
  readonly excuse: string | undefined;
}

export class ServiceJudge {
  readonly truth: Truth;
  readonly promises: Promises;
  readonly #excuses: Excuses;
  readonly #check: LogCheck;

  /** @param entryOf what stands at a place in the log */
  constructor(
    { truth, promises }: { readonly truth: Truth; readonly promises: Promises },
    entryOf: (sequence: number) => LogEntry,
    found: (finding: Finding) => void,
  ) {
    this.truth = truth;
    this.promises = promises;
    this.#excuses = new Excuses(truth.bench);
    this.#check = new LogCheck(truth.bench, (violation) => {
      const { rule, sequence, message } = violation;
      const named = this.#excuses.nodes
        .filter((name) => new RegExp(`\\b${name}\\b`).test(message))
        .toSorted();
      found({ violation, named, excuse: this.#excuses.of(rule, entryOf(sequence), named) });
    });
  }

  /** @param entry what it is to the log's readers, if it is anything to them */
  stored(stream: string, message: StoredMessage, entry: LogEntry | undefined): void {
    this.promises.stored(stream, message, entry);
    if (entry === undefined) return;
    this.#excuses.see(entry);
    this.truth.stored(entry);
    this.#check.see(entry);
  }

  /** A stream has become an older one, or another. */
  setBack(stream: string): void {
    this.promises.setBack(stream);
    if (stream === STREAMS.rollouts) this.#excuses.recordsLost();
  }

  /** Of orders and slots these stand now, and nothing else. */
  restart(standing: readonly LogEntry[]): void {
    this.truth.restart(standing);
    this.#check.restart(standing);
  }

  agentHandled(model: NodeModel, event: AgentEvent, before: ServiceState, after: ServiceState): void {
    const start = this.truth.agentHandled(model, event, before, after);
    if (start === undefined) return;
    this.#excuses.began(start);
    this.#check.began(start, this.truth.isRemembered(start));
  }

  agentBegins(model: NodeModel): void {
    this.truth.agentBegins(model);
    this.promises.agentBegins(model.name);
  }

  /** Somebody put another container there, or none. */
  changedByHand(model: NodeModel): void {
    this.truth.changedByHand(model);
    this.promises.changedByHand(model.name);
  }

  /** Its journal is gone, or another one. */
  forgets(model: NodeModel): void {
    this.#excuses.forgets(model.name);
    this.truth.forgets(model);
  }

  /** What the checker has judged, to be counted once. */
  count(): void {
    this.#check.count();
  }

  /** Nothing more is to come. */
  finish(gone: ReadonlySet<NodeId>): void {
    this.#check.finish(gone);
    this.promises.atRest();
  }
}
