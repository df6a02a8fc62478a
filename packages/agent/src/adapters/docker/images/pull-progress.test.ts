import { PassThrough, type Readable } from 'node:stream';
import type Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Dockerd } from '../dockerd.ts';
import { pullLines } from './pull-progress.ts';
import { stageImage } from './stage.ts';

const NEVER = new AbortController().signal;
const line = (told: object): string => `${JSON.stringify(told)}\r\n`;

async function all(body: Readable, signal = NEVER): Promise<readonly object[]> {
  const told: object[] = [];
  for await (const one of pullLines(body, signal)) told.push(one);
  return told;
}

function bodyOf(...chunks: readonly (string | Buffer)[]): PassThrough {
  const body = new PassThrough();
  for (const chunk of chunks) body.write(chunk);
  body.end();
  return body;
}

describe('the body of a pull', () => {
  test('is read by its lines, wherever it was cut on its way', async () => {
    const bytes = Buffer.from(line({ status: 'zieht schön', id: 'a' }) + line({ error: 'no space' }));
    const middle = bytes.indexOf('ö') + 1;
    expect(await all(bodyOf(bytes.subarray(0, middle), bytes.subarray(middle)))).toEqual([
      { status: 'zieht schön', id: 'a' },
      { error: 'no space' },
      {},
    ]);
  });

  test('may end in the middle of a line, or hold what is no document: nobody dies of it', async () => {
    expect(await all(bodyOf('<html>bad gateway</html>\n', '7\n', '{"status":"Pul'))).toEqual([{}, {}, {}]);
  });

  test('that is cut off has not ended', async () => {
    const body = new PassThrough();
    const read = all(body);
    body.destroy();
    await expect(read).rejects.toThrow(/close/i);
  });
});

describe('a pull', () => {
  const image = { repository: 'registry.example/web', digest: `sha256:${'1'.repeat(64)}` };

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Of a dockerd that answers by this body, or not at all. */
  function pulling(body?: Readable): Promise<void> {
    const createImage = (_auth: unknown, { abortSignal }: { readonly abortSignal: AbortSignal }) =>
      body === undefined
        ? new Promise((_resolve, reject) => abortSignal.addEventListener('abort', () => reject(new Error())))
        : Promise.resolve(body);
    const dockerd = { image: async () => undefined };
    const supply = {
      docker: { createImage } as unknown as Docker,
      dockerd: dockerd as unknown as Dockerd,
      auth: async () => undefined,
      retryAfter: async () => undefined,
      room: async () => undefined,
    };
    return stageImage(supply, image, undefined, NEVER);
  }

  const SILENT = { code: 'pull-failed', message: expect.stringMatching(/told nothing of it for 15m/) };

  test('of which nothing is heard any more is given up, and may be tried again', async () => {
    const body = new PassThrough();
    const pulled = pulling(body).catch((error: unknown) => error);
    for (let minutes = 0; minutes < 60; minutes += 10) {
      await vi.advanceTimersByTimeAsync(600_000);
      body.write(line({ status: 'Downloading', id: 'a', progressDetail: { current: minutes, total: 60 } }));
    }
    await vi.advanceTimersByTimeAsync(600_000);
    expect(body.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(await pulled).toMatchObject(SILENT);
    expect(body.destroyed).toBe(true);
  });

  test('that dockerd never begins is given up as well', async () => {
    const pulled = pulling().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(900_000);
    expect(await pulled).toMatchObject(SILENT);
  });
});
