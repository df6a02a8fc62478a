/** Answers questions on the bus as one of NATS' microservices: found, asked and counted as any other (`nats micro`). */

import type { Bus, HeardMessage, Refusal, Subscription } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import {
  describeService,
  type EndpointStats,
  type MicroEndpoint,
  type MicroService,
  type MicroVerb,
  UNASKED,
} from '@swell/shared/protocol/micro.ts';
import { discoverySubjects } from '@swell/shared/protocol/subjects.ts';

/** A question that is not answered: thrown by whoever handles it. */
export class RefusalError extends Error implements Refusal {
  override readonly name = 'RefusalError';
  readonly code: Refusal['code'];
  readonly description: string;
  constructor(code: Refusal['code'], description: string) {
    super(description);
    this.code = code;
    this.description = description;
  }
}

export interface Endpoint extends MicroEndpoint {
  /** The answer. Throws {@link RefusalError}. */
  readonly handle: (question: HeardMessage) => Promise<object>;
}

export interface MicroServerOptions {
  readonly bus: Bus;
  readonly host: Host;
  readonly logger: Logger;
  readonly service: MicroService;
  readonly endpoints: readonly Endpoint[];
  /** Says nothing while it must not: somebody else may be the one to answer. */
  readonly mayAnswer: () => boolean;
}

const VERBS: readonly MicroVerb[] = ['PING', 'INFO', 'STATS'];

export class MicroServer {
  readonly #options: MicroServerOptions;
  readonly #open: Subscription[] = [];
  readonly #stats = new Map<string, EndpointStats>();

  constructor(options: MicroServerOptions) {
    this.#options = options;
  }

  open(): void {
    const { service, endpoints } = this.#options;
    for (const endpoint of endpoints)
      this.#listen(endpoint.subject, (question) => void this.#answer(endpoint, question));
    for (const verb of VERBS) {
      for (const subject of discoverySubjects(verb, service.name, service.id))
        this.#listen(subject, ({ answer }) => {
          if (this.#options.mayAnswer()) answer?.(encode(describeService(verb, service, this.#counted())));
        });
    }
  }

  close(): void {
    for (const subscription of this.#open.splice(0)) subscription.close();
  }

  /** Who may not listen there leads all the same: nobody waits for a subscription. */
  #listen(subject: string, hear: (message: HeardMessage) => void): void {
    const { bus, logger } = this.#options;
    const subscription = bus.subscribe(subject);
    this.#open.push(subscription);
    void (async () => {
      for await (const message of subscription) hear(message);
    })().catch((error: unknown) => logger.warn({ err: error, subject }, 'questions are not heard'));
  }

  async #answer({ name, handle }: Endpoint, question: HeardMessage): Promise<void> {
    const { host, logger, mayAnswer } = this.#options;
    const begunMs = host.monotonicMs();
    const outcome = await handle(question).catch((error: unknown): RefusalError => {
      if (error instanceof RefusalError) return error;
      logger.error({ err: error, subject: question.subject }, 'a question failed');
      return new RefusalError(500, `the coordinator failed to answer: ${String(error)}`);
    });
    if (!mayAnswer()) return;
    const refusal = outcome instanceof RefusalError ? outcome : undefined;
    this.#count(name, host.monotonicMs() - begunMs, refusal);
    try {
      question.answer?.(encode(refusal === undefined ? outcome : { error: refusal.description }), refusal);
    } catch (error) {
      logger.debug({ err: error, subject: question.subject }, 'not answered');
    }
  }

  #count(name: string, tookMs: number, refusal: RefusalError | undefined): void {
    const { requests, errors, lastError, processingMs } = this.#stats.get(name) ?? UNASKED;
    this.#stats.set(name, {
      requests: requests + 1,
      errors: errors + (refusal === undefined ? 0 : 1),
      lastError: refusal === undefined ? lastError : `${refusal.code}:${refusal.description}`,
      processingMs: processingMs + tookMs,
    });
  }

  #counted(): readonly (MicroEndpoint & { readonly stats: EndpointStats })[] {
    return this.#options.endpoints.map((one) => ({ ...one, stats: this.#stats.get(one.name) ?? UNASKED }));
  }
}
