/**
 * Swell and `docker compose` on the same containers: after an update and after a return Compose has nothing to do, and
 * whatever its operator does in the middle of a swap, it ends in one container, or in none where he said so.
 */

import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Engine } from '../../packages/agent/src/adapters/engine.ts';
import { ComposeProject } from '../fidelity/compose-project.ts';
import { type Ground, openGround, returnOrder, swap, updateOrder } from '../fidelity/ground.ts';
import { describeWithDocker } from '../support/needs.ts';
import { runTool } from '../support/tools.ts';

const SERVICE = 'web';

describeWithDocker('Compose and a swap', () => {
  let ground: Ground;
  let project: ComposeProject;
  let reference: string;

  beforeAll(async () => {
    ground = await openGround();
    reference = ground.reference(ground.place(0));
    project = await ComposeProject.write(ground, `swell-lives-${ground.run}`, {
      [SERVICE]: {
        image: reference,
        restart: 'unless-stopped',
        // It takes its time to stop, as services do.
        stop_signal: 'SIGTERM',
        stop_grace_period: '1s',
        networks: ['default', 'front'],
        volumes: ['/own'],
        configs: ['inline'],
      },
      other: { image: `${ground.v1.repository}:${ground.v1.tag}` },
    });
  });

  beforeEach(async () => {
    await ground.point(ground.place(0), ground.v1);
    await project.up();
  });

  afterEach(async () => {
    await project.clear();
  });

  afterAll(async () => {
    await ground[Symbol.asyncDispose]();
  });

  test('once updated, `pull` and `up` find nothing to do, where the registry has the same', async () => {
    await swap(ground.engine, updateOrder(SERVICE, ground.v2));
    const before = await identities();
    await ground.point(ground.place(0), ground.v2);
    await runTool('docker', ['push', reference]);
    await project.run('pull', SERVICE);
    await project.up();
    expect(await identities()).toEqual(before);
  });

  test('once returned, `pull` and `up` find nothing to do, where the registry has the same', async () => {
    await runTool('docker', ['push', reference]);
    await swap(ground.engine, updateOrder(SERVICE, ground.v2));
    await swap(ground.engine, returnOrder(SERVICE));
    const before = await identities();
    await project.run('pull', SERVICE);
    await project.up();
    expect(await identities()).toEqual(before);
  });

  test('is updated once more after its operator brought it another image by `pull` and `up`', async () => {
    await swap(ground.engine, updateOrder(SERVICE, ground.v2));
    await ground.point(ground.place(0), ground.v1);
    await runTool('docker', ['push', reference]);
    await project.run('pull', SERVICE);
    await project.up();
    expect(await ends()).toEqual([runningOn(ground.v1.digest)]);
    await swap(ground.engine, updateOrder(SERVICE, ground.v2));
    expect(await ends()).toEqual([runningOn(ground.v2.digest)]);
    expect(await changedBy(() => project.up())).toEqual([]);
  });

  describe.each(['prepared', 'cut over', 'committed'] as const)('when it is %s', (moment) => {
    test.each<[string, readonly string[], number]>([
      ['up', ['up', '-d'], 1],
      ['up --force-recreate', ['up', '-d', '--force-recreate'], 1],
      ['restart', ['restart', SERVICE], 1],
      ['rm', ['rm', '--stop', '--force', SERVICE], 0],
      ['down', ['down'], 0],
    ])('`%s` ends well', async (_, words, expected) => {
      await reach(moment);
      // So that their volumes are known, and go at the end.
      await containers();
      await operate(words);
      expect(await ends()).toEqual(Array.from({ length: expected }, () => runningOn(expect.any(String))));
      expect((await ground.engine.observe(SERVICE)).swap).toBeUndefined();
      // And Compose goes on from there.
      await project.up();
      expect(await changedBy(() => project.up())).toEqual([]);
      expect(await ends()).toEqual([runningOn(expect.any(String))]);
    });
  });

  /**
   * The operator says it, and the agent finds what that made. Compose makes one container anew under the name of another
   * that it has not taken away yet, where it is to make anew both of a swap; then the operator says it again.
   */
  async function operate(words: readonly string[]): Promise<void> {
    const isKnown = (error: unknown) =>
      words.includes('--force-recreate') && String(error).includes('is already in use by container');
    let isSaid = true;
    await project.run(...words).catch((error: unknown) => {
      if (!isKnown(error)) throw error;
      isSaid = false;
    });
    await recover(ground.newEngine());
    if (!isSaid) await project.run(...words);
  }

  async function reach(moment: 'prepared' | 'cut over' | 'committed'): Promise<void> {
    await ground.engine.prepareSwap(updateOrder(SERVICE, ground.v2));
    if (moment === 'prepared') return;
    await ground.engine.cutOver(SERVICE);
    if (moment === 'cut over') return;
    await ground.engine.commitSwap(SERVICE);
  }

  /** What an agent does with what it finds after a start. */
  async function recover(engine: Engine): Promise<void> {
    const { swap: found } = await engine.observe(SERVICE);
    if (found === undefined) return;
    const isWell = async () => (await engine.probe(SERVICE, { kind: 'automatic' }, 60_000)).healthy;
    const goesOn = found.progress === 'committed' || (found.progress === 'cut-over' && (await isWell()));
    await (goesOn ? engine.commitSwap(SERVICE) : engine.undoSwap(SERVICE));
  }

  /** All containers of the service, under whatever names. */
  async function containers(): Promise<readonly Docker.ContainerInspectInfo[]> {
    const label = [`com.docker.compose.project=${project.name}`, `com.docker.compose.service=${SERVICE}`];
    const found = await ground.docker.listContainers({ all: true, filters: { label } });
    return Promise.all(found.map(({ Id }) => ground.inspect(Id)));
  }

  async function identities(): Promise<readonly object[]> {
    return (await containers()).map(({ Id, Name, State }) => ({ Id, Name, startedAt: State.StartedAt }));
  }

  async function ends(): Promise<readonly object[]> {
    const digests = new Map(
      await Promise.all(
        [ground.v1, ground.v2].map(async ({ repository, digest }) => {
          const { Id } = await ground.docker.getImage(`${repository}@${digest}`).inspect();
          return [Id, digest] as const;
        }),
      ),
    );
    return (await containers()).map(({ Name, Image, State, HostConfig }) => ({
      name: Name,
      digest: digests.get(Image),
      up: State.Running,
      policy: HostConfig.RestartPolicy?.Name,
    }));
  }

  function runningOn(digest: unknown): object {
    return { name: `/${project.name}-${SERVICE}-1`, digest, up: true, policy: 'unless-stopped' };
  }

  async function changedBy(act: () => Promise<void>): Promise<readonly string[]> {
    const before = new Set((await containers()).map(({ Id }) => Id));
    await act();
    return (await containers()).map(({ Id }) => Id).filter((id) => !before.has(id));
  }
});
