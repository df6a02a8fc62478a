/**
 * What the leading coordinator answers, and nobody else: a follower's word could be old. A leader answers from what it has
 * saved, and only while its lease surely holds; one that has been replaced and does not know it stays silent, and the
 * one in its place hears the same question.
 */

import type { Bus, HeardMessage } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { explainQuestion, replayQuestion } from '@swell/shared/protocol/questions.ts';
import { questionSubject, serviceAsked } from '@swell/shared/protocol/subjects.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import type { z } from 'zod';
import { timeOf } from '../core/limits/cool-down.ts';
import type { ServiceState } from '../core/state.ts';
import { explain } from '../core/view/explain.ts';
import { explainNode, regionsOf } from '../core/view/explain-node.ts';
import { viewHistory, viewRollout } from '../core/view/view.ts';
import type { Term } from './leadership.ts';
import { type Endpoint, MicroServer, RefusalError } from './micro-server.ts';
import { answerReplay } from './replaying.ts';
import type { ServiceMachine, Services } from './services.ts';
import type { Territory } from './territory.ts';

export interface QuestionsOptions {
  readonly bus: Bus;
  readonly host: Host;
  readonly term: Term;
  readonly territory: Territory;
  readonly logger: Logger;
}

export class Questions {
  readonly #options: QuestionsOptions;
  readonly #services: Services;
  readonly #server: MicroServer;
  #replays = false;

  constructor(options: QuestionsOptions, services: Services) {
    this.#options = options;
    this.#services = services;
    const { term } = options;
    this.#server = new MicroServer({
      ...options,
      service: {
        name: 'swell-coordinator',
        id: term.scope === undefined ? `term-${term.number}` : `${term.scope}-term-${term.number}`,
        version: VERSION,
        description: 'Answers how rollouts stand: whoever leads does',
        metadata: {
          coordinator: term.coordinator,
          term: String(term.number),
          ...(term.scope !== undefined && { scope: term.scope }),
        },
        startedAtMs: term.nowMs(),
      },
      endpoints: this.#endpoints(),
      mayAnswer: () => term.isHeld,
    });
  }

  /** To be called once all of the bus has been read. */
  open(): void {
    this.#server.open();
  }

  close(): void {
    this.#server.close();
  }

  #endpoints(): readonly Endpoint[] {
    const { scope } = this.#options.term;
    return [
      {
        name: 'rollout',
        subject: questionSubject('rollout', '*', scope),
        description: 'How the rollout of a service stands, and why it does not go on right now',
        handle: async (question) => viewRollout(await this.#saved(question), this.#nowMs),
      },
      {
        name: 'history',
        subject: questionSubject('history', '*', scope),
        description: 'What became of the rollouts of a service',
        handle: async (question) => viewHistory(await this.#saved(question)),
      },
      {
        name: 'explain',
        subject: questionSubject('explain', '*', scope),
        description:
          'Why the rollout of a service, or one of its nodes ({"node":"…"}), does not go on right now',
        handle: (question) => this.#explain(question),
      },
      {
        name: 'replay',
        subject: questionSubject('replay', '*', scope),
        description: 'Would this policy have stopped that release ({"rollout":…,"policy":{…}})?',
        handle: (question) => this.#replay(question),
      },
    ];
  }

  get #nowMs(): number {
    return this.#options.term.nowMs();
  }

  async #explain(question: HeardMessage): Promise<object> {
    const asked = question.body.length === 0 ? {} : read(question, explainQuestion);
    const state = await this.#saved(question);
    if (asked.node !== undefined) return this.#explainNode(state, asked.node, asked.region);
    const reasons = explain(state, this.#nowMs).map(({ untilMs, ...reason }) => ({
      ...reason,
      ...(untilMs !== undefined && { until: timeOf(untilMs) }),
    }));
    const rollout = state.record.rollout?.release.rollout;
    const [first, ...also] = reasons;
    return { service: state.service, ...(rollout !== undefined && { rollout }), ...first, also };
  }

  /** One at a time: it takes the leader's time. */
  async #replay(question: HeardMessage): Promise<object> {
    const asked = read(question, replayQuestion);
    const state = await this.#saved(question);
    if (this.#replays) throw new RefusalError(429, 'another replay is running: ask again when it is over');
    this.#replays = true;
    try {
      const { bus, host, term, territory } = this.#options;
      return await answerReplay({ bus, host, territory, signal: term.signal }, state, asked);
    } finally {
      this.#replays = false;
    }
  }

  #explainNode(state: ServiceState, node: NodeId, wanted: Region | undefined): object {
    const { service } = state;
    const regions = regionsOf(state, node, wanted);
    const [region, another] = regions;
    if (another !== undefined)
      throw new RefusalError(400, `region: ${node} is in ${regions.join(' and in ')}: say which`);
    const line = region && explainNode(state, { region, node }, this.#nowMs);
    if (line === undefined) {
      const name = wanted === undefined ? node : `${wanted}.${node}`;
      throw new RefusalError(
        404,
        `node: nobody has heard of a node ${name} with ${service}: swell nodes shows who is there`,
      );
    }
    return { service, region, node, line };
  }

  /** A state whose record is saved: what a crash would take back is told to nobody. */
  async #saved(question: HeardMessage): Promise<ServiceState> {
    const machine = this.#machineOf(serviceAsked(question.subject));
    await machine.post({ kind: 'time-passed' });
    return machine.state;
  }

  #machineOf(service: ServiceName): ServiceMachine {
    const machine = this.#services.machines.get(service);
    if (machine !== undefined) return machine;
    if (this.#services.isUnreadable(service))
      throw new RefusalError(409, `service: the record of ${service} cannot be read (OPERATIONS)`);
    throw new RefusalError(404, `service: no node runs "${service}", and it has no policy and no release`);
  }
}

function read<Asked>(question: HeardMessage, schema: z.ZodType<Asked>): Asked {
  const asked = decode(question.body, schema);
  if (asked.ok) return asked.value;
  throw new RefusalError(400, asked.problems.join('; '));
}
