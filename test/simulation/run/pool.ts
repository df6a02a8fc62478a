/** Lives several lives at a time, each in a thread: what comes of one depends on its job alone. */

import { Worker } from 'node:worker_threads';
import type { Life } from '../life.ts';
import type { Job } from './job.ts';
import type { Answer } from './worker.ts';

interface Asked {
  readonly job: Job;
  readonly resolve: (life: Life) => void;
  readonly reject: (error: Error) => void;
}

export class Pool implements AsyncDisposable {
  readonly size: number;
  readonly #idle: Worker[] = [];
  readonly #workers = new Set<Worker>();
  readonly #waiting: Asked[] = [];

  constructor(size: number) {
    this.size = size;
  }

  live(job: Job): Promise<Life> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#workers.size < this.size ? this.#begin() : undefined);
    const asked = worker && this.#waiting.shift();
    if (worker === undefined || asked === undefined) return;
    const over = (): void => {
      worker.off('message', answered);
      worker.off('error', failed);
    };
    const answered = (answer: Answer): void => {
      over();
      this.#idle.push(worker);
      if (answer.is === 'lived') asked.resolve(answer.life);
      else asked.reject(new Error(`seed ${asked.job.seed}: ${answer.why}`));
      this.#next();
    };
    const failed = (error: unknown): void => {
      over();
      this.#workers.delete(worker);
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      asked.reject(new Error(`seed ${asked.job.seed}: ${why}`));
      this.#next();
    };
    worker.on('message', answered);
    worker.on('error', failed);
    worker.postMessage(asked.job, []);
  }

  #begin(): Worker {
    const worker = new Worker(new URL('worker.ts', import.meta.url), { execArgv: [] });
    this.#workers.add(worker);
    return worker;
  }
}
