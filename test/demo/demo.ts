/** The whole show: a fleet comes up, takes a good release, refuses a sick one, is judged, and goes. */

import type { Violation } from '@swell/shared/domain/rules/rule.ts';
import { ensureDocker } from '../../scripts/setup/docker.ts';
import { ensureTools } from '../../scripts/setup/tools.ts';
import { Fleet } from '../fleet/fleet.ts';
import { untilAtRest } from '../fleet/watching.ts';
import { startNatsProcess } from '../support/nats-process.ts';
import { bounded, playAct } from './act.ts';
import { closing } from './closing.ts';
import { type DemoOptions, REGIONS, spread } from './options.ts';
import { demoPolicy, MAX_UNAVAILABLE } from './policy.ts';
import { Prober } from './prober.ts';
import type { Screen } from './screen.ts';
import { type ActFacts, type DemoFacts, type DemoResult, judge } from './verdict.ts';
import { watchFleet } from './watch.ts';

/** Runs it to its end, and takes away all that it made. Throws only where the signal aborts. */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<DemoResult> {
  const say = (line: string): void => screen.say([{ text: line, tone: 'quiet' }]);
  screen.say([
    { text: 'Swell: a release rolls through a small fleet, and a bad one comes back', tone: 'strong' },
  ]);
  let facts: DemoFacts = {
    engine: 'docker',
    nodes: options.nodes,
    maxUnavailableAllowed: MAX_UNAVAILABLE,
    violations: [],
    failures: [],
  };
  try {
    const docker = await ensureDocker(say);
    await ensureTools(['nats-server', 'nats', 'docker-registry', 'busybox'], say);
    signal.throwIfAborted();
    if (!docker.available) throw new Error(docker.reason);
    say(
      `Starting nats-server, a registry, a coordinator, and ${options.nodes} nodes in ${REGIONS.length} regions …`,
    );
    await using fleet = await Fleet.start({
      regions: spread(options.nodes),
      startBus: () => startNatsProcess({ shipped: true }),
      publishesPorts: true,
      signal: AbortSignal.any([signal, AbortSignal.timeout(120_000)]),
    });
    facts = await play(fleet, facts, screen, signal);
    if (facts.violations.length > 0) fleet.keepsLogs = true;
  } catch (error) {
    signal.throwIfAborted();
    facts = { ...facts, failures: [...facts.failures, (error as Error).message] };
  }
  const result = judge(facts);
  screen.say(...closing(facts, result, 'measured by asking each node for /health over HTTP every 75 ms'));
  return result;
}

async function play(fleet: Fleet, facts: DemoFacts, screen: Screen, signal: AbortSignal): Promise<DemoFacts> {
  const v1 = await fleet.publishImage('v1');
  const v2 = await fleet.publishImage('v2');
  const v3 = await fleet.publishImage('v3', 'sick');
  const versions = { [v1.digest]: 'v1', [v2.digest]: 'v2', [v3.digest]: 'v3' };
  await fleet.policy(demoPolicy(facts.nodes / REGIONS.length, 'docker'));
  await using prober = new Prober(fleet.nodes);
  const watch = watchFleet(fleet, versions, screen, () => prober.takeMostOut());
  screen.say(
    [],
    [{ text: '1  v2 is good: it should reach every node, in each region one at a time.', tone: 'strong' }],
  );
  const good = await playAct(fleet, { version: 'v2', watch, signal });
  let bad: ActFacts | undefined;
  if (good.ended === 'rollout-settled') {
    screen.say(
      [],
      [{ text: '2  v3 is sick: it answers 404 on /health. Watch it come back.', tone: 'strong' }],
    );
    bad = await playAct(fleet, { version: 'v3', watch, signal });
  }
  const violations: readonly Violation[] = await bounded(
    fleet,
    'the log to be complete',
    signal,
    untilAtRest(fleet).then(() => fleet.log.violations()),
  );
  return { ...facts, goodDigest: v2.digest, good, ...(bad !== undefined && { bad }), violations };
}
