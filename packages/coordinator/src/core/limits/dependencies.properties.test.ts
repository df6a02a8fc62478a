/** Whatever depends on whatever, and in whichever order it is published: nothing begins before its time, and all of it ends. */

import type { Dependency } from '@swell/shared/domain/dependency.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ServicesStory } from '../../../../../test/support/services-story.ts';

const RUNS = { numRuns: Number(process.env['SWELL_TEST_RUNS'] ?? 60) };
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const per = fc.constantFrom('fleet' as const, 'fleet' as const, 'region' as const);

/** Of each service which of the others it depends on. */
const graph = fc
  .tuple(
    fc.integer({ min: 2, max: NAMES.length }),
    fc.array(fc.tuple(fc.nat(5), fc.nat(5), per), { maxLength: 9 }),
  )
  .map(([count, edges]) => {
    const names = NAMES.slice(0, count);
    return new Map(
      names.map((name, index): [string, readonly Dependency[]] => {
        const own = edges.filter(([from]) => from % count === index);
        const found = own.map(([, to, how]) => ({ service: names[to % count] ?? name, per: how }));
        return [
          name,
          found.filter((one, at) => found.findIndex(({ service }) => service === one.service) === at),
        ];
      }),
    );
  });

/** The same without its cycles: each depends on those before it alone. */
const acyclic = graph.map(
  (edges) => new Map([...edges].map(([name, own]) => [name, own.filter(({ service }) => service < name)])),
);

type Graph = ReadonlyMap<string, readonly Dependency[]>;

/** What a service depends on as a whole, over whole dependencies alone: written down once more, without the core's own rules. */
function below(edges: Graph, name: string): readonly string[] {
  return (edges.get(name) ?? [])
    .filter((one) => one.per === 'fleet')
    .flatMap(({ service }) => [service, ...below(edges, service)]);
}

function storyOf(edges: Graph, coolDowns: readonly number[]): ServicesStory {
  const policies = [...edges].map(([name, dependsOn], index) => {
    const coolDownMs = (coolDowns[index] ?? 0) * 1_000;
    return [name, { dependsOn, coolDownMs, regions: [['eu'], ['us']] }] as const;
  });
  return new ServicesStory(Object.fromEntries(policies), { eu: 1, us: 1 });
}

/** Which service is published when, after how many rounds; and when another coordinator takes over. */
const doings = fc.record({
  order: fc.shuffledSubarray([...NAMES], { minLength: 1 }),
  pauses: fc.array(fc.nat(6), { minLength: 6, maxLength: 6 }),
  coolDowns: fc.array(fc.constantFrom(0, 0, 5, 40), { minLength: 6, maxLength: 6 }),
  restartAfter: fc.array(fc.nat(8), { maxLength: 2 }),
  isTrain: fc.boolean(),
});

/** What breaks a rule, in fast-check's words, with the seed that brings it back. */
function broken<Drawn>(arbitrary: fc.Arbitrary<Drawn>, check: (drawn: Drawn) => void): string | undefined {
  return fc.defaultReportMessage(fc.check(fc.property(arbitrary, check), RUNS));
}

test('K3: nothing begins before what it depends on has settled, and all of it settles', {
  timeout: 120_000,
}, () => {
  const check = ([edges, { order, pauses, coolDowns, restartAfter, isTrain }]: readonly [
    Graph,
    {
      readonly order: readonly string[];
      readonly pauses: readonly number[];
      readonly coolDowns: readonly number[];
      readonly restartAfter: readonly number[];
      readonly isTrain: boolean;
    },
  ]): void => {
    const story = storyOf(edges, coolDowns);
    const members = order.filter((name) => edges.has(name));
    const numbers = new Map<string, number>();
    let rounds = 0;
    const round = (): void => {
      if (restartAfter.includes(rounds)) story.restart();
      rounds += 1;
      story.round();
    };
    for (const [index, name] of members.entries()) {
      numbers.set(name, story.publish(name, isTrain ? { train: 't', trainOf: members } : {}));
      for (let pause = pauses[index] ?? 0; pause > 0; pause -= 1) round();
    }
    const areSettled = (): boolean => members.every((name) => story.phase(name) === 'settled');
    for (let left = 600; left > 0 && !areSettled(); left -= 1) round();
    expect(members.map((name) => story.phase(name))).toEqual(members.map(() => 'settled'));
    const isEarlier = (one: string, other: string): boolean =>
      isTrain || (numbers.get(one) ?? 0) < (numbers.get(other) ?? 0);
    const tooEarly = members.flatMap((name) =>
      below(edges, name)
        .filter((first) => members.includes(first) && isEarlier(first, name))
        .filter(
          (first) =>
            story.way.indexOf(`${first} rollout-settled`) > story.way.indexOf(`${name} rollout-started`),
        )
        .map((first) => `${name} before ${first}`),
    );
    expect(tooEarly).toEqual([]);
  };
  expect(broken(fc.tuple(acyclic, doings), check)).toBeUndefined();
});

test('K3: also where policies go round nobody waits for ever: a release is refused, or it settles', {
  timeout: 120_000,
}, () => {
  const check = ([edges, names]: readonly [Graph, readonly string[]]): void => {
    const story = storyOf(new Map([...edges.keys()].map((name) => [name, []])), []);
    const members = names.filter((name) => edges.has(name));
    for (const name of members) {
      story.publish(name);
      // As if all of them were written at the same moment.
      story.unknowing(() => story.policy(name, { dependsOn: edges.get(name) ?? [] }));
    }
    for (const name of members) story.publish(name);
    const isOver = (name: string): boolean => {
      const { candidate, rollout } = story.of(name).state.record;
      return candidate === undefined && (rollout === undefined || rollout.phase.name === 'settled');
    };
    story.until(() => members.every(isOver), 600);
  };
  expect(broken(fc.tuple(graph, fc.shuffledSubarray([...NAMES], { minLength: 2 })), check)).toBeUndefined();
});
