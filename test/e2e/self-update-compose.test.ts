/**
 * An agent that is a service of a Compose project, written as docs/OPERATIONS.md says, updates itself: the project keeps the
 * one agent that it made, Compose finds nothing to do, and whatever its operator says in the middle, one agent remains.
 */

import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposedAgent } from '../fleet/composed-agent.ts';
import { DockerGate, type Moment } from '../fleet/docker-gate.ts';
import { type Made, OWN_POLICY, OwnAgents } from '../fleet/own-agents.ts';
import { fleetOfThisFile } from '../fleet/scenario.ts';
import { AGENT, renaming, resultsOf, TURN_MS } from '../fleet/self-updating.ts';
import { nodeNamed } from '../fleet/watching.ts';
import { startNatsContainer } from '../support/nats-container.ts';
import { describeWithDocker } from '../support/needs.ts';

const standsBy: Moment = { when: 'after', pattern: /^POST \/containers\/\w+\/start/ };
const hasNoName: Moment = { when: 'after', pattern: renaming('[.]swell-prev') };
const acts: Moment = { when: 'before', pattern: renaming('[.]swell-old') };
const isToStay: Moment = { when: 'after', pattern: renaming('[.]swell-old') };

const UP = ['up', '-d'];

/** What its operator says, and when. */
const WORDS: readonly (readonly [
  said: string,
  when: string,
  moment: Moment,
  commands: readonly string[][],
])[] = [
  ['up', 'the new one stands by', standsBy, [UP]],
  ['restart', 'the new one stands by', standsBy, [['restart']]],
  ['up', 'the old one has lost its name', hasNoName, [UP]],
  ['up', 'the new one acts', acts, [UP]],
  ['restart', 'the new one acts', acts, [['restart']]],
  ['up', 'the new one is to stay', isToStay, [UP]],
  ['down, and up later', 'the new one is to stay', isToStay, [['down'], UP]],
];

describeWithDocker('an agent of a Compose project that updates itself', () => {
  const fleet = fleetOfThisFile({
    regions: { a: 1 },
    // The agent's own network reaches what a container publishes.
    startBus: async () => {
      const server = await startNatsContainer();
      if (server === undefined) throw new Error('no Docker daemon answers');
      return server;
    },
  });
  let gate: DockerGate;
  let agents: OwnAgents;
  let project: ComposedAgent;
  /** How Compose made it, but for its image. */
  let made: Made;

  beforeAll(async () => {
    const node = nodeNamed(fleet(), 'a-1');
    await fleet().agentOf(node).stop();
    const socket = join(fleet().directory, 'docker.sock');
    gate = await DockerGate.open({ at: socket });
    agents = await OwnAgents.build(fleet(), node, { place: ComposedAgent.place(fleet()) });
    project = await ComposedAgent.write(fleet(), node, agents, socket);
    await fleet().policy(OWN_POLICY, AGENT);
    await agents.publish('first');
    await project.point('first');
    await project.up();
    made = unordered((await agents.alone()).made);
  }, TURN_MS);

  afterAll(async () => {
    await project.run('down', '--volumes', '--timeout', '0');
    await agents[Symbol.asyncDispose]();
    await gate[Symbol.asyncDispose]();
  });

  it('hands its node to the next one, which Compose takes for its own', { timeout: TURN_MS }, async () => {
    expect(made.labels).toMatchObject({ 'swell.service': AGENT, 'com.docker.compose.oneoff': 'False' });
    const rollout = await release('plain');
    expect(await endOf(rollout)).toBe('rollout-settled');
    await expectAlone('plain');
    expect((await resultsOf(fleet(), rollout)).map(({ status }) => status)).toEqual(['healthy']);
    await expectNothingToDo(...UP);
    // And where the registry's tag has moved to the same.
    await project.push();
    await project.run('pull');
    await expectNothingToDo(...UP);
  });

  it.each([
    ['ends at once', ['ENTRYPOINT ["node", "-e", "process.exit(3)"]'], {}],
    ['is not well', [], { health: { http: { port: 1, path: '/' }, healthyDeadline: '2s', timeout: '1s' } }],
  ])(
    'keeps its node where the next one %s, and Compose has nothing to do',
    { timeout: TURN_MS },
    async (how, dockerfile, policy) => {
      const image = await agents.publish(how.replaceAll(' ', '-'), dockerfile);
      const rollout = await fleet().release({ image, policy }, AGENT);
      expect(await endOf(rollout)).toBe('rollout-rested');
      await expectAlone('plain');
      expect((await resultsOf(fleet(), rollout)).map(({ status }) => status)).toEqual(['failed']);
      await expectNothingToDo(...UP);
      await project.run('pull');
      await expectNothingToDo(...UP);
    },
  );

  it.each(WORDS)(
    'is one agent in the end where its operator says %s when %s',
    { timeout: TURN_MS },
    async (said, when, moment, commands) => {
      const tag = `${said} ${when}`.replaceAll(/\W+/g, '-');
      const held = gate.hold(moment);
      const rollout = await release(tag);
      await held.arrived;
      for (const words of commands) await project.run(...words);
      held.release();
      expect(await endOf(rollout)).toBe('rollout-settled');
      await expectAlone(tag);
      const results = await resultsOf(fleet(), rollout);
      expect(results.at(-1)?.status).toBe('healthy');
      expect(new Set(results.map(({ attempt }) => attempt)).size).toBe(results.length);
      await expectNothingToDo(...UP);
    },
  );

  async function release(tag: string): Promise<number> {
    return fleet().release({ image: await agents.publish(tag) }, AGENT);
  }

  function endOf(rollout: number): Promise<string> {
    return fleet().log.until((entry) => {
      if (entry.kind !== 'event' || entry.event.rollout !== rollout) return undefined;
      const { name } = entry.event;
      return name === 'rollout-settled' || name === 'rollout-rested' ? name : undefined;
    });
  }

  /** One container, running, under the first one's name, and as that one was made. */
  async function expectAlone(tag: string): Promise<void> {
    const { made: now, image } = await agents.alone();
    expect(unordered(now)).toEqual(made);
    expect(image).toBe(await agents.imageOf(tag));
  }

  async function expectNothingToDo(...words: readonly string[]): Promise<void> {
    const before = await agents.identity();
    await project.run(...words);
    expect(await agents.identity()).toEqual(before);
  }
});

/** Compose itself writes variables and volumes in whatever order, each time that it makes a container. */
function unordered(made: Made): Made {
  return { ...made, environment: made.environment.toSorted(), binds: made.binds.toSorted() };
}
