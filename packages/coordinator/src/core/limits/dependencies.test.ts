import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { expect, test } from 'vitest';
import { ServicesStory } from '../../../../../test/support/services-story.ts';

const on = (...services: readonly string[]): PolicyLayer => ({
  dependsOn: services.map((service) => ({ service, per: 'fleet' })),
});

/** Beginnings, stops and ends alone. */
function ways({ way }: ServicesStory): readonly string[] {
  return way.filter((one) => /rollout-(?:started|settled|paused|resumed|halted|rested|aborted)$/.test(one));
}

const ONE_AFTER_THE_OTHER = [
  'db rollout-started',
  'db rollout-settled',
  'web rollout-started',
  'web rollout-settled',
];

const settled = (story: ServicesStory, ...services: readonly string[]): void =>
  story.until(() => services.every((service) => story.phase(service) === 'settled'));

/** The database is on its way, and the web waits for it. */
function waiting(policy: PolicyLayer = on('db')): ServicesStory {
  const story = new ServicesStory({ web: policy, db: {} });
  story.publish('db');
  story.publish('web');
  return story;
}

/** The web is on its way, on a database that has settled. */
function onTheWay(): ServicesStory {
  const story = new ServicesStory({ web: { ...on('db'), soakMs: 30_000 }, db: {} });
  story.publish('db');
  settled(story, 'db');
  story.publish('web');
  story.until(() => story.phase('web') === 'rolling');
  return story;
}

test('K3: a release waits until what its service depends on is through, and says so', () => {
  const story = new ServicesStory({ db: {}, web: on('db') });
  const [db, web] = [story.publish('db'), story.publish('web')];
  expect(story.phase('web')).toBe('waits');
  expect(story.line('web', 'release-delayed')).toBe(
    `release ${web} of web waits for rollout ${db} of db, which is under way`,
  );
  settled(story, 'web');
  expect(ways(story)).toEqual(ONE_AFTER_THE_OTHER);
});

test('K3: it follows also over a service that has no release', () => {
  const story = new ServicesStory({ db: {}, queue: on('db'), web: on('queue') });
  story.publish('db');
  story.publish('web');
  settled(story, 'web');
  expect(ways(story)).toEqual(ONE_AFTER_THE_OTHER);
});

test('K3: a release that was published earlier comes first, also where it has not begun', () => {
  const story = new ServicesStory({ db: { coolDownMs: 60_000 }, web: on('db') });
  story.publish('db');
  story.publish('web');
  settled(story, 'web');
  expect(ways(story)).toEqual(ONE_AFTER_THE_OTHER);
});

test('K3: one that was published later comes first only within a train', () => {
  const policies = { db: { coolDownMs: 60_000 }, web: { ...on('db'), coolDownMs: 10_000 } };
  const story = new ServicesStory(policies);
  story.publish('web', { train: '2026-11' });
  story.publish('db', { train: '2026-11' });
  settled(story, 'db', 'web');
  expect(ways(story)).toEqual(ONE_AFTER_THE_OTHER);
  const later = new ServicesStory(policies);
  later.publish('web');
  later.publish('db');
  settled(later, 'db', 'web');
  expect(ways(later)).toEqual([
    'web rollout-started',
    'web rollout-settled',
    'db rollout-started',
    'db rollout-settled',
  ]);
});

test('K3: a train that names its members waits for one that is not published yet', () => {
  const story = new ServicesStory({ db: {}, web: on('db') });
  const train = { train: '2026-11', trainOf: ['db', 'web'] };
  const web = story.publish('web', train);
  for (let round = 0; round < 20; round += 1) story.round();
  expect([story.phase('web'), story.line('web', 'release-delayed')]).toEqual([
    'waits',
    `release ${web} of web waits for a release of db in train 2026-11`,
  ]);
  story.publish('db', train);
  settled(story, 'web');
  expect(ways(story)).toEqual(ONE_AFTER_THE_OTHER);
});

test('K3: the earlier rollout goes on while the next one waits', () => {
  const story = new ServicesStory({ db: { soakMs: 60_000 }, web: on('db') });
  const first = story.publish('web');
  story.publish('db');
  story.publish('web');
  story.until(() => story.of('web').rollout.phase.name === 'settled');
  expect([story.of('web').rollout.release.rollout, story.phase('db')]).toEqual([first, 'soaking']);
  settled(story, 'db', 'web');
});

test.each(['halt', 'abort'] as const)(
  'K3: after %s what waited for it waits for one that settles',
  (action) => {
    const story = waiting();
    story.control('db', action);
    for (let round = 0; round < 30; round += 1) story.round();
    expect(story.phase('web')).toBe('waits');
    expect(story.line('web', 'release-delayed')).toContain(
      'waits for db, which has not settled on rollout 1001 (it was stopped: by an operator) or a later one',
    );
    story.publish('db');
    settled(story, 'db', 'web');
  },
);

test('K3: nothing begins while another service goes back, and does once that rests', () => {
  const story = new ServicesStory({ web: on('db'), db: { soakMs: 30_000 } });
  const db = story.publish('db');
  story.until(() => story.phase('db') === 'soaking');
  story.of('db').behave('silent');
  story.control('db', 'halt');
  const web = story.publish('web');
  for (let round = 0; round < 10; round += 1) story.round();
  expect([story.phase('web'), story.line('web', 'release-delayed')]).toEqual([
    'waits',
    `release ${web} of web waits for rollout ${db} of db, which goes back`,
  ]);
  story.of('db').behave('well');
  settled(story, 'web');
});

test('K3: a release of a train is held up by a member that was stopped before it was published', () => {
  const story = new ServicesStory({ web: on('db'), db: {} });
  story.publish('db', { train: '2026-11' });
  story.control('db', 'halt');
  story.until(() => story.phase('db') === 'rested');
  story.publish('web', { train: '2026-11' });
  story.round();
  expect(story.phase('web')).toBe('waits');
  // Another train has nothing to do with that.
  story.publish('web', { train: '2026-12' });
  settled(story, 'web');
});

test('K3: a halt of what a rollout began on pauses it, and the next one that settles lets it go on', () => {
  const story = onTheWay();
  story.control('db', 'halt');
  story.round();
  expect([story.phase('web'), story.of('web').rollout.paused?.reason]).toEqual([
    'paused',
    'it waits for db, which has not settled on rollout 1001 (it was stopped: by an operator) or a later one',
  ]);
  story.publish('db');
  settled(story, 'db', 'web');
  expect(ways(story).slice(-3)).toEqual(['db rollout-settled', 'web rollout-resumed', 'web rollout-settled']);
});

test('K3: while a later rollout of it goes back a rollout pauses, and goes on once that rests', () => {
  const story = new ServicesStory({ web: { ...on('db'), soakMs: 600_000 }, db: { soakMs: 30_000 } });
  story.publish('web');
  story.until(() => story.phase('web') === 'soaking');
  const later = story.publish('db');
  story.until(() => story.phase('db') === 'soaking');
  expect(story.phase('web')).toBe('soaking');
  story.of('db').behave('silent');
  story.control('db', 'halt');
  story.round();
  expect([story.phase('web'), story.of('web').rollout.paused?.reason]).toEqual([
    'paused',
    `it waits for rollout ${later} of db, which goes back`,
  ]);
  story.of('db').behave('well');
  story.until(() => story.phase('db') === 'rested');
  story.round();
  expect(story.phase('web')).toBe('soaking');
});

test('K3: a person may let it go on all the same, and then nothing of that stops it again', () => {
  const story = onTheWay();
  story.control('db', 'halt');
  story.round();
  story.control('web', 'resume');
  settled(story, 'web');
  expect(ways(story).filter((one) => one === 'web rollout-paused').length).toBe(1);
});

test('K3: a person who pauses it as well is waited for', () => {
  const story = onTheWay();
  story.control('db', 'halt');
  story.round();
  story.control('web', 'pause');
  story.publish('db');
  settled(story, 'db');
  story.round();
  expect(story.of('web').rollout.paused?.reason).toBe('by an operator');
  story.control('web', 'resume');
  settled(story, 'web');
  expect(story.of('web').rollout.heedless).toBeUndefined();
});

test('K3: a policy that names it no more, or a release that brings none along, waits for nothing', () => {
  const story = waiting();
  story.control('db', 'pause');
  story.publish('web', { overrides: { dependsOn: [] } });
  settled(story, 'web');
  story.publish('web');
  story.round();
  expect(story.phase('web')).toBe('waits');
  story.policy('web', {});
  settled(story, 'web');
});

test('K3: region by region a rollout follows what it depends on', () => {
  const regions = { eu: 2, us: 2 };
  const story = new ServicesStory(
    {
      db: { regions: [['eu'], ['us']], approval: 'manual' },
      web: { dependsOn: [{ service: 'db', per: 'region' }] },
    },
    regions,
  );
  const db = story.publish('db');
  const web = story.publish('web');
  story.until(() => story.phase('db') === 'gated');
  story.until(() => story.of('web').wave('eu').phase === 'open');
  for (let round = 0; round < 20; round += 1) story.round();
  const running = (service: string, region: string): readonly boolean[] =>
    story
      .of(service)
      .line(region)
      .map(({ running: digest }) => digest === story.of(service).rollout.release.image.digest);
  expect([running('web', 'eu'), running('web', 'us'), story.of('web').wave('us').phase]).toEqual([
    [true, true],
    [false, false],
    'staging',
  ]);
  expect(story.line('web', 'dependency-awaited')).toBe(
    `rollout ${web} of web: nobody starts in us before it is through there: rollout ${db} of db, which is under way`,
  );
  // Nobody is missing: it does not pause for want of progress.
  for (let minute = 0; minute < 30; minute += 1) for (const one of story.services.values()) one.pass(60_000);
  expect(story.phase('web')).toBe('rolling');
  story.control('db', 'approve');
  settled(story, 'db', 'web');
  expect(story.line('web', 'dependency-settled')).toBe(
    `rollout ${web} of web: no other service is waited for in us`,
  );
});

test('K3: a region that a new policy puts off is not through, though everybody there was let in', () => {
  const story = new ServicesStory(
    { db: {}, web: { dependsOn: [{ service: 'db', per: 'region' }] } },
    { eu: 20, us: 1 },
  );
  story.publish('db');
  const cursor = (region: string) => story.of('db').rollout.regions[region]?.cursor ?? 0;
  story.until(() => story.phase('db') === 'rolling' && cursor('us') === 1);
  expect(cursor('eu')).toBeLessThan(1);
  story.publish('web');
  story.policy('db', { regions: [['eu'], ['us']] });
  story.round();
  expect([story.of('db').rollout.group, story.phase('web')]).toEqual([0, 'waits']);
});

test('K3: a region that is through for one service does not do for another one', () => {
  const story = new ServicesStory(
    {
      db: { regions: [['eu'], ['us']], approval: 'manual' },
      cache: { soakMs: 60_000 },
      web: {
        dependsOn: [
          { service: 'db', per: 'region' },
          { service: 'cache', per: 'fleet' },
        ],
      },
    },
    { eu: 2, us: 2 },
  );
  story.publish('db');
  story.publish('cache');
  story.publish('web');
  story.until(() => story.phase('db') === 'gated');
  story.until(() => story.phase('cache') === 'soaking');
  story.round();
  expect(story.phase('web')).toBe('waits');
  settled(story, 'cache');
  story.until(() => story.phase('web') === 'rolling');
});

test('K3: where the other service is stopped between two regions the rollout pauses, and the next one opens the rest', () => {
  const story = new ServicesStory(
    {
      db: { regions: [['eu'], ['us']], approval: 'manual' },
      web: { dependsOn: [{ service: 'db', per: 'region' }] },
    },
    { eu: 2, us: 2 },
  );
  story.publish('db');
  story.publish('web');
  story.until(() => story.phase('db') === 'gated');
  story.until(() => story.phase('web') === 'rolling');
  story.control('db', 'abort');
  story.round();
  expect([story.phase('web'), story.of('web').rollout.awaiting?.regions]).toEqual(['paused', ['us']]);
  expect(story.of('web').told('dependency-settled')).toEqual([]);
  story.policy('db', {});
  story.publish('db');
  settled(story, 'db', 'web');
  expect(story.of('web').told('dependency-settled').length).toBe(1);
});

test('K3: what is not known lets nobody begin', () => {
  const story = new ServicesStory({ web: on('db', 'ghost'), db: {} });
  story.publish('web');
  for (let round = 0; round < 20; round += 1) story.round();
  expect([story.phase('web'), story.line('web', 'release-delayed')]).toEqual([
    'waits',
    'release 1001 of web waits for ghost, of which nothing is known',
  ]);
});

test('K3, P6: the next leader gives the same answer, also before it has read the other services', () => {
  const story = waiting();
  const { record } = story.of('web').state;
  // The web is read first.
  story.restart();
  expect([story.phase('web'), story.of('web').state.record]).toEqual(['waits', record]);
  settled(story, 'web');
  expect(ways(story)).toEqual(ONE_AFTER_THE_OTHER);
});

test('K3: a rollout under way stands still until the others have been read, and pauses where one never is', () => {
  const story = onTheWay();
  const { cursor } = story.of('web').rollout.regions['eu'] ?? {};
  story.unknowing(() => {
    story.of('web').restart();
    story.of('web').act(() => false, 5);
    expect([story.phase('web'), story.of('web').rollout.regions['eu']?.cursor]).toEqual(['rolling', cursor]);
    story.of('web').tick(10_000);
    expect(story.of('web').rollout.paused?.reason).toBe('it waits for db, of which nothing is known');
  });
  settled(story, 'web');
});

test('K3: a policy that closes a cycle is refused, and names it', () => {
  const story = new ServicesStory({ db: {}, queue: on('db'), web: on('queue') });
  story.policy('db', on('web'));
  expect(story.of('db').told('policy-rejected').at(-1)?.problems).toEqual([
    'dependsOn: db -> web -> queue -> db is a cycle: take one of them out of the policy of the one before',
  ]);
  story.policy('web', on('web'));
  expect(story.of('web').told('policy-rejected').at(-1)?.problems).toEqual([
    'dependsOn: web -> web is a cycle: take one of them out of the policy of the one before',
  ]);
});

test('K3: a release is refused that closes a cycle, or finds itself in one', () => {
  const story = new ServicesStory({ db: on('web'), web: {} });
  story.publish('web', { overrides: on('db') });
  const problem =
    'policy.dependsOn: web -> db -> web is a cycle: take one of them out of the policy of the one before';
  expect(story.of('web').told('release-rejected').at(-1)?.problems).toEqual([problem]);
  // Two policies of the same moment: neither was known when the other was weighed.
  story.policy('web', { coolDownMs: 60_000 });
  story.publish('web');
  story.unknowing(() => story.policy('web', on('db')));
  story.round();
  expect(story.of('web').told('release-rejected').length).toBe(2);
  expect(story.of('web').told('release-rejected').at(-1)?.problems).toEqual([problem]);
});

test('K3: a hundred services in ten layers, each on all of the layer below, follow each other', {
  timeout: 60_000,
}, () => {
  const layers = Array.from({ length: 10 }, (_, layer) =>
    Array.from({ length: 10 }, (__, index) => `s${layer}-${index}`),
  );
  const policies = layers.flatMap((names, layer) =>
    names.map((name) => [name, on(...(layers[layer - 1] ?? []))]),
  );
  const story = new ServicesStory(Object.fromEntries(policies) as Record<string, PolicyLayer>);
  const members = layers.flat();
  const train = { train: 't', trainOf: members };
  // The last ones first.
  for (const name of members.toReversed()) story.publish(name, train);
  settled(story, ...members);
  const places = layers.map((names) => ({
    begins: Math.min(...names.map((name) => story.way.indexOf(`${name} rollout-started`))),
    ends: Math.max(...names.map((name) => story.way.indexOf(`${name} rollout-settled`))),
  }));
  const tooEarly = places.filter(({ begins }, layer) => begins < (places[layer - 1]?.ends ?? 0));
  expect(tooEarly).toEqual([]);
  // Each was told for what it waits as often as that changed, not as often as anybody did anything.
  const waits = members.map((name) => story.of(name).told('release-delayed').length);
  expect(Math.max(...waits)).toBeLessThanOrEqual(members.length);
});

test('K3: a train that names a service of which nothing is known waits, and says so: it may be misspelt', () => {
  const story = new ServicesStory({ db: {}, web: on('db') });
  const web = story.publish('web', { train: '2026-11', trainOf: ['bd', 'web'] });
  for (let round = 0; round < 20; round += 1) story.round();
  expect([story.phase('web'), story.line('web', 'release-delayed')]).toEqual([
    'waits',
    `release ${web} of web waits for bd, of which nothing is known`,
  ]);
  const train = { train: '2026-11', trainOf: ['db', 'web'] };
  story.publish('web', train);
  story.publish('db', train);
  settled(story, 'web');
  expect(ways(story)).toEqual(ONE_AFTER_THE_OTHER);
});

test('K3: a release whose train does not name its own service is refused: the list is not what somebody meant', () => {
  const story = new ServicesStory({ db: {}, web: on('db') });
  story.publish('web', { train: '2026-11', trainOf: ['db', 'wbe'] });
  expect(story.of('web').told('release-rejected').at(-1)?.problems).toEqual([
    'trainOf: does not name web, of which this is a release: name every service of the train',
  ]);
});
