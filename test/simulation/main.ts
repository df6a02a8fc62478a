// npm run sim -- --seeds 500 --nodes 200 [--json]: whole fleets in virtual time, each from a seed, judged at every event.
import { readOptions, USAGE } from './run/options.ts';
import { run } from './run/run.ts';

const options = readOptions(process.argv.slice(2));
if (options.ok) {
  const { value } = options;
  const summary = await run(value, { out: process.stderr, say: (line) => console.error(line) });
  console.log(value.json ? JSON.stringify(summary) : summary);
  process.exitCode = summary.violations > 0 ? 1 : 0;
} else {
  for (const problem of options.problems) console.error(problem);
  console.error(`\n${USAGE}`);
  process.exitCode = 2;
}
