/** Gates: a real Prometheus scrapes real agents of real containers, and a rollout goes on, halts or waits by what it says. */

import { HttpPrometheus, type QueryAnswer } from '@swell/coordinator/adapters/prometheus.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Fleet, START_PATIENCE_MS } from '../fleet/fleet.ts';
import { endsInOrder, expectOn, givePolicy, giveWord, QUICK } from '../fleet/scenario.ts';
import { untilEvent, untilSo } from '../fleet/watching.ts';
import { describeWithPrometheus } from '../support/needs.ts';
import { freePorts } from '../support/ports.ts';
import { type PrometheusServer, startPrometheus } from '../support/prometheus-process.ts';

const NODES = ['eu-west-1', 'eu-west-2', 'us-east-1', 'us-east-2'];
const OURS = 'service="$service",version="$version"';
const MEMORY = `avg(swell_container_memory_working_set_bytes{${OURS}})`;
const HEALTHY = {
  name: 'healthy',
  query: `min(swell_container_healthy{${OURS},region="$region"})`,
  min: 1,
  for: '2s',
  every: '1s',
};

/** Every stage is watched for a moment only. */
const WATCHED = { ...QUICK, soak: '1s', progressDeadline: '2m' };
/** For a stage whose nodes have all come through: whoever asks in vain is not asked for long. */
const HURRIED = { progressDeadline: '10s', health: { ...QUICK.health, healthyDeadline: '5s' } };

describeWithPrometheus('gates', () => {
  let started: { readonly fleet: Fleet; readonly prometheus: PrometheusServer } | undefined;

  const parts = () => {
    if (started === undefined) throw new Error('nothing has started');
    return started;
  };

  beforeAll(async () => {
    const [port = 0, ...ports] = await freePorts(1 + NODES.length);
    const prometheus = await startPrometheus(
      port,
      ports.map((one) => `127.0.0.1:${one}`),
    );
    const environments = NODES.map((node, index) => [node, { SWELL_STATUS_PORT: String(ports[index]) }]);
    const fleet = await Fleet.start({
      regions: { 'eu-west': 2, 'us-east': 2 },
      environments: Object.fromEntries(environments),
      coordinatorEnvironment: { SWELL_PROMETHEUS_URL: prometheus.url },
    });
    started = { fleet, prometheus };
  }, START_PATIENCE_MS * 2);

  afterAll(async () => {
    await started?.fleet[Symbol.asyncDispose]();
    await started?.prometheus[Symbol.asyncDispose]();
  });

  function ask(query: string): Promise<QueryAnswer> {
    return new HttpPrometheus({ url: parts().prometheus.url }).query(query, new AbortController().signal);
  }

  it('N14: Prometheus knows what every container takes, and how it is', async () => {
    const { fleet } = parts();
    await untilSo(fleet, 'Prometheus to know every container', async () => {
      const known = await ask('count(swell_container_memory_working_set_bytes{service="web"} > 0)');
      return known.is === 'value' && known.value === NODES.length;
    });
    // A scrape that comes too late shows a node less, until the next one.
    const comesToBe = async (query: string, value: number): Promise<void> => {
      await expect.poll(() => ask(query), { timeout: 60_000 }).toEqual({ is: 'value', value });
    };
    for (const metric of ['healthy', 'cpu_seconds_total', 'restarts_total', 'info'])
      await comesToBe(`count(swell_container_${metric}{service="web"})`, NODES.length);
    await comesToBe('min(swell_container_healthy)', 1);
    await comesToBe('min(swell_container_cpu_seconds_total) > bool 0', 1);
    await endsInOrder(fleet);
  });

  it('N10: a gate that is good in every region lets it go on, and so does one that compares', async () => {
    const { fleet } = parts();
    const compared = { name: 'memory', query: MEMORY, compare: { max: 1_000 }, every: '1s' };
    await givePolicy(fleet, { ...WATCHED, gates: [HEALTHY, compared] });
    const v2 = await fleet.publishImage('v2');
    const rollout = await fleet.release({ image: `${fleet.repository}:v2` });
    const passed = await untilEvent(fleet, 'gates-passed', rollout);
    expect(passed.line).toMatch(
      /stage 1 of 2 \(50 %\) all gates are good: healthy\/eu-west \(1\), healthy\/us-east \(1\), memory \(\d+(\.\d+)?, beside \d/,
    );
    await untilEvent(fleet, 'rollout-settled', rollout);
    await expectOn(fleet, v2);
    await endsInOrder(fleet);
  });

  it('N10: a gate that is bad halts it, by its name, value and bound, and everybody goes back', async () => {
    const { fleet } = parts();
    const bad = { name: 'memory', query: MEMORY, max: 1, every: '1s', failures: 2 };
    await givePolicy(fleet, { ...WATCHED, gates: [bad] });
    const v2 = await fleet.publishImage('v2');
    await fleet.publishImage('v3');
    const rollout = await fleet.release({ image: `${fleet.repository}:v3` });
    const halted = await untilEvent(fleet, 'rollout-halted', rollout);
    expect(halted.line).toMatch(/gate memory: \d+(\.\d+)? is more than max 1, 2 times in a row$/);
    await untilEvent(fleet, 'rollout-rested', rollout);
    await expectOn(fleet, v2);
    await endsInOrder(fleet);
  });

  it('N10: a gate without data, or with a query that is none, holds it, and a policy without it goes on', async () => {
    const { fleet } = parts();
    const nothing = { name: 'errors', query: `sum(http_errors{${OURS}})`, max: 1, every: '1s' };
    const broken = { name: 'broken', query: 'sum(', max: 1, every: '1s' };
    const gates = [nothing, broken];
    await givePolicy(fleet, { ...WATCHED, gates });
    const v4 = await fleet.publishImage('v4');
    const rollout = await fleet.release({ image: `${fleet.repository}:v4` });
    await untilEvent(fleet, 'stage-finished', rollout);
    // Only now, when no node is waited for any more.
    await givePolicy(fleet, { ...WATCHED, ...HURRIED, gates });
    const held = await untilEvent(fleet, 'rollout-paused', rollout);
    expect(held.line).toContain('gate errors says nothing: no data (and 1 more); "resume" asks again');
    const said = fleet.log.entries.flatMap((entry) =>
      entry.kind === 'event' && entry.event.name === 'gate-inconclusive' ? [entry.event.line] : [],
    );
    expect(said.join('\n')).toMatch(/gate broken says nothing: Prometheus answers 400: .*parse error/);
    await givePolicy(fleet, WATCHED);
    expect(await giveWord(fleet, { action: 'resume' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet, 'rollout-settled', rollout);
    await expectOn(fleet, v4);
    await endsInOrder(fleet);
  });
});
