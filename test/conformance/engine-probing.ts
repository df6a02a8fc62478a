import { expect, test } from 'vitest';
import type { ProbeOutcome } from '../../packages/agent/src/core/container.ts';
import { cutOver, type EngineWorld, eventually, HTTP, prepared, SERVICE } from './engine-world.ts';

const TIMEOUT_MS = 2_000;
const TRUE = { kind: 'command', command: ['/bin/busybox', 'true'] } as const;

export function probingCases(world: () => EngineWorld): void {
  const images = () => world().images;
  const asked = (probe: Parameters<ReturnType<EngineWorld['engine']>['probe']>[1]) =>
    world().engine().probe(SERVICE, probe, TIMEOUT_MS);
  const isWell = ({ healthy }: ProbeOutcome): boolean => healthy;

  test('one that is well answers whichever way it is asked', async () => {
    await world().run(images().v1);
    // A server listens a moment after its container runs.
    const docker = [{ kind: 'docker' }, { kind: 'automatic' }] as const;
    for (const probe of [HTTP, { kind: 'tcp', port: 8080 }, TRUE, ...docker] as const) {
      const outcome = await eventually(world(), () => asked(probe), isWell);
      expect(outcome).toEqual({ healthy: true, seen: expect.any(String) });
    }
  });

  test('the one that has taken over is asked, and before that the old one', async () => {
    const { v1, sick } = images();
    const engine = world().engine();
    await world().run(v1);
    await prepared(engine, sick);
    await eventually(world(), () => asked(HTTP), isWell);
    await engine.cutOver(SERVICE);
    const outcome = await eventually(
      world(),
      () => asked(HTTP),
      ({ seen }) => !seen.includes('ECONNREFUSED'),
    );
    expect(outcome).toEqual({ healthy: false, seen: expect.any(String) });
    await engine.undoSwap(SERVICE);
    await eventually(world(), () => asked(HTTP), isWell);
  });

  test('one that never answers is not well, and the question ends by its timeout', async () => {
    const { v1, hangs } = images();
    const engine = world().engine();
    await world().run(v1);
    await cutOver(engine, hangs);
    const outcome = await eventually(
      world(),
      () => engine.probe(SERVICE, HTTP, 300),
      ({ seen }) => !seen.includes('ECONNREFUSED'),
    );
    expect(outcome).toEqual({ healthy: false, seen: expect.stringMatching(/^no answer .*300 ms$/) });
    await engine.undoSwap(SERVICE);
  });

  test('one that has ended says so, and that waiting is of no use', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await cutOver(engine, v2);
    await world().die();
    const outcome = await eventually(
      world(),
      () => asked(HTTP),
      ({ ended }) => ended === true,
    );
    expect(outcome).toEqual({ healthy: false, ended: true, seen: expect.stringMatching(/exited/) });
    await engine.undoSwap(SERVICE);
    await world().stop();
    expect(await asked(HTTP)).toMatchObject({ healthy: false, ended: true });
  });
}
