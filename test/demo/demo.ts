/** The whole show: a fleet comes up, takes a good release, refuses a sick one, is judged, and goes. */

import type { Digest } from '@swell/shared/domain/image.ts';
import { Fleet, unlessAborted } from '../fleet/fleet.ts';
import { untilAtRest } from '../fleet/watching.ts';
import { startNatsProcess } from '../support/nats-process.ts';
import { bounded, playAct } from './act.ts';
import { closing } from './closing.ts';
import { chooseEngine, type EngineChoice } from './engine-choice.ts';
import type { Row } from './frame.ts';
import { playground, SPARES } from './keep.ts';
import { type DemoOptions, REGIONS, spread } from './options.ts';
import { demoPolicy, MAX_UNAVAILABLE } from './policy.ts';
import { Prober } from './prober.ts';
import type { Screen } from './screen.ts';
import { type DemoFacts, type DemoResult, judge } from './verdict.ts';
import { type Watch, watchFleet } from './watch.ts';

const IMAGES = { v1: 'well', v2: 'well', v3: 'sick', ...SPARES } as const;

/** Runs it to its end, and takes away all that it made. Throws only where the signal aborts before there is a result. */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<DemoResult> {
  screen.say(title('Swell: a release rolls through a small fleet, and a bad one comes back'));
  let engine: EngineChoice = { kind: 'docker' };
  try {
    engine = await chooseEngine(options, (line) => screen.say(quiet(line)));
    signal.throwIfAborted();
    return await show(options, engine, screen, signal);
  } catch (error) {
    signal.throwIfAborted();
    const result = judge({ ...factsOf(options, engine), failures: [(error as Error).message] });
    screen.say(...result.failures.map((failure) => bad(failure)));
    return result;
  }
}

async function show(
  options: DemoOptions,
  engine: EngineChoice,
  screen: Screen,
  signal: AbortSignal,
): Promise<DemoResult> {
  if (engine.kind === 'memory') {
    screen.say([
      {
        text: `Without containers, on an engine that only pretends to have some: ${engine.reason}`,
        tone: 'busy',
      },
    ]);
  }
  const what = engine.kind === 'docker' ? ', each with a container of its own' : '';
  screen.say(
    quiet(`Starting nats-server, a registry, one coordinator and ${options.nodes} agents:`),
    quiet(`${options.nodes} nodes in ${REGIONS.length} regions${what}, all on v1 …`),
  );
  await using fleet = await Fleet.start({
    regions: spread(options.nodes),
    startBus: () => startNatsProcess({ shipped: true }),
    signal,
    ...(engine.kind === 'docker' ? { publishesPorts: true } : { memory: IMAGES }),
  });
  await using prober = engine.kind === 'docker' ? new Prober(fleet.nodes) : undefined;
  const versions = await publishImages(fleet);
  const watch = watchFleet(fleet, versions, screen, prober);
  const facts = await play(fleet, factsOf(options, engine), watch, signal);
  const result = judge(facts);
  fleet.keepsLogs ||= !result.ok;
  screen.say(...closing(facts, result));
  if (!result.ok) screen.say(quiet(`The logs of all programs are in ${fleet.directory}`));
  if (options.keep) {
    screen.say(...playground(fleet));
    watch.begin();
    await unlessAborted(new Promise<never>(() => {}), signal).catch(() => {});
    watch.end();
  }
  screen.say(quiet('Taking everything away …'));
  return result;
}

/** Both releases, then the rules. What goes wrong on the way is a fact as well. */
async function play(fleet: Fleet, begun: DemoFacts, watch: Watch, signal: AbortSignal): Promise<DemoFacts> {
  let facts = begun;
  try {
    facts = { ...facts, goodDigest: (await fleet.publishImage('v2')).digest };
    await fleet.policy(demoPolicy(facts.nodes / REGIONS.length));
    watch.say([], title('1  v2 is good: it should reach every node, one at a time in each region.'));
    facts = { ...facts, good: await playAct(fleet, { version: 'v2', watch, signal }) };
    if (facts.good?.ended === 'rollout-settled') {
      const sick = facts.engine === 'docker' ? 'it answers 404 on /health' : 'its health check always fails';
      watch.say([], title(`2  v3 is sick: ${sick}. Watch it come back.`));
      facts = { ...facts, bad: await playAct(fleet, { version: 'v3', watch, signal }) };
    }
    await bounded(fleet, 'the log to be complete', signal, untilAtRest(fleet));
    return { ...facts, violations: fleet.log.violations(), entries: fleet.log.entries.length };
  } catch (error) {
    watch.end();
    if (signal.aborted) watch.say([], quiet('Taking everything away …'));
    signal.throwIfAborted();
    const violations = fleet.log.violations({ atRest: false });
    return { ...facts, violations, failures: [(error as Error).message] };
  }
}

/** All that will be released, and what people call it. */
async function publishImages(fleet: Fleet): Promise<Readonly<Record<Digest, string>>> {
  const versions: Record<Digest, string> = {};
  for (const [tag, behaviour] of Object.entries(IMAGES)) {
    versions[(await fleet.publishImage(tag, behaviour)).digest] = tag;
  }
  return versions;
}

function factsOf({ nodes }: DemoOptions, { kind }: EngineChoice): DemoFacts {
  return {
    engine: kind,
    nodes,
    maxUnavailableAllowed: MAX_UNAVAILABLE,
    violations: [],
    entries: 0,
    failures: [],
  };
}

function title(text: string): Row {
  return [{ text, tone: 'strong' }];
}

function quiet(text: string): Row {
  return [{ text, tone: 'quiet' }];
}

function bad(text: string): Row {
  return [{ text: `✗ ${text}`, tone: 'bad' }];
}
