/** One thread that lives one life after the other. */

import { parentPort } from 'node:worker_threads';
import { readShapes } from '../bus/definition.ts';
import { type Life, live } from '../life.ts';
import { type Job, lifeOptions } from './job.ts';

export type Answer =
  | { readonly is: 'lived'; readonly life: Life }
  | { readonly is: 'failed'; readonly why: string };

const shapes = await readShapes();

parentPort?.on('message', (job: Job) => {
  live(lifeOptions(job, shapes)).then(
    (life) => answer({ is: 'lived', life }),
    (error: unknown) =>
      answer({ is: 'failed', why: error instanceof Error ? (error.stack ?? '') : String(error) }),
  );
});

function answer(of: Answer): void {
  parentPort?.postMessage(of, []);
}
