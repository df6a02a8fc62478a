// npm run sim -- --seeds 500 --nodes 200 [--from N] [--seed S] [--storm hours] [--json]
import { parseArgs } from 'node:util';
import { readShapes } from './bus/definition.ts';
import { type Life, live } from './life.ts';
import { CALM, STORMY } from './profile.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '60' },
    seed: { type: 'string' },
    storm: { type: 'string', default: '3' },
    calm: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const HOUR_MS = 3_600_000;
const nodes = Number(values.nodes);
const stormMs = Number(values.storm) * HOUR_MS;
const profile = values.calm ? CALM : STORMY;
const first = Number(values.from);
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => String(first + index))
    : [values.seed];

const shapes = await readShapes();
const startedMs = performance.now();
const lives: Life[] = [];
for (const seed of seeds) {
  const life = await live({ seed, nodes, profile, stormMs, shapes });
  lives.push(life);
  const { violations } = life;
  for (const { rule, message, atMs } of violations.slice(0, 3)) {
    console.error(
      `seed ${seed}: ${rule} at ${atMs}: ${message}\n  replay: npm run sim -- --seed ${seed} --nodes ${nodes} --storm ${values.storm}`,
    );
  }
  if (process.stderr.isTTY || values.seed !== undefined || !values.json) {
    const updates = lives.reduce((sum, { nodeUpdates }) => sum + nodeUpdates, 0);
    const perSecond = Math.round((updates * 1_000) / (performance.now() - startedMs));
    console.error(
      `seed ${seed}: ${life.nodeUpdates} updates, ${life.entries} log entries, ${violations.length} violations (${perSecond} updates/s)`,
    );
  }
}
const violations = lives.reduce((sum, life) => sum + life.violations.length, 0);
const nodeUpdates = lives.reduce((sum, life) => sum + life.nodeUpdates, 0);
const years = lives.reduce((sum, life) => sum + (life.simulatedMs * nodes) / (365 * 24 * HOUR_MS), 0);
const faultKinds = new Set(lives.flatMap((life) => [...life.faults.keys()])).size;
const summary = {
  seeds: seeds.length,
  nodeUpdates,
  simulatedNodeYears: Number(years.toFixed(2)),
  faultKinds,
  violations,
  nodeUpdatesPerSecond: Math.round((nodeUpdates * 1_000) / (performance.now() - startedMs)),
};
console.log(values.json ? JSON.stringify(summary) : summary);
process.exitCode = violations > 0 ? 1 : 0;
