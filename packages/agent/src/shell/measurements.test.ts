import { expect, test } from 'vitest';
import type { Measured } from '../adapters/meter.ts';
import { ContainerWatch } from './measurements.ts';

const WEB: Measured = { container: 'web', digests: [], isHealthy: true, restarts: 0 };

/** A clock that is moved by hand, and whose timers fire when it is. */
class HandClock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly call: () => void }[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const { call } of this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)) call();
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
  }

  get isQuiet(): boolean {
    return this.#timers.length === 0;
  }
}

function watched(measure: (service: string) => Promise<readonly Measured[]>) {
  const clock = new HandClock();
  const host = {
    monotonicMs: () => clock.monotonicMs(),
    after: (ms: number, call: () => void) => clock.after(ms, call),
  };
  return { clock, watch: new ContainerWatch({ measure }, host) };
}

test('two who ask at about the same time are told the same, and later it is measured anew', async () => {
  let count = 0;
  const { clock, watch } = watched(async () => [{ ...WEB, restarts: count++ }]);
  expect((await watch.read(['web'])).get('web')).toEqual([{ ...WEB, restarts: 0 }]);
  clock.pass(2_000);
  expect((await watch.read(['web'])).get('web')).toEqual([{ ...WEB, restarts: 0 }]);
  clock.pass(1);
  expect((await watch.read(['web'])).get('web')).toEqual([{ ...WEB, restarts: 1 }]);
  expect(clock.isQuiet).toBe(true);
});

test('N14: nobody waits for an engine that hangs: he is told what was so, and soon nothing', async () => {
  let hangs = false;
  let asked = 0;
  const { clock, watch } = watched(async () => {
    asked += 1;
    return hangs ? new Promise(() => {}) : [WEB];
  });
  await watch.read(['web']);
  hangs = true;
  clock.pass(10_000);
  const late = watch.read(['web']);
  clock.pass(1_000);
  expect((await late).get('web')).toEqual([WEB]);
  clock.pass(9_001);
  const later = watch.read(['web']);
  clock.pass(1_000);
  expect(await later).toEqual(new Map());
  // It is not asked a second time while it owes an answer.
  expect(asked).toBe(2);
});

test('N14: what one service does not tell is not known of the others either way', async () => {
  const { watch } = watched(async (service) => {
    if (service === 'db') throw new Error('no answer');
    return [WEB];
  });
  expect([...(await watch.read(['db', 'web'])).keys()]).toEqual(['web']);
});
