// npm run bench:scale [-- options]: how long the coordinator's core takes for each kind of step, beside a tenth of the fleet.

import { wantedOptions } from '../../support/command-line.ts';
import { median, ratio, rounded, tell } from '../figures.ts';
import { readOptions, type ScaleOptions, USAGE } from './options.ts';
import { live, type Times } from './story.ts';

interface StepFigures {
  /** Median. */
  readonly ms: number;
  /** To that of a tenth of the nodes: 10 is linear, 1 does not depend on the fleet. */
  readonly toTenth: number | undefined;
}

const options = wantedOptions(readOptions, USAGE);
if (options !== undefined) bench(options);

function bench({ nodes, runs, json }: ScaleOptions): void {
  const large: Times[] = [];
  const small: Times[] = [];
  for (let run = 1; run <= runs; run += 1) {
    console.error(`run ${run} of ${runs}`);
    small.push(live(Math.floor(nodes / 10)));
    large.push(live(nodes));
  }
  const steps = Object.fromEntries(
    [...(large[0]?.keys() ?? [])].map((what): [string, StepFigures] => {
      const ms = medianOf(large, what);
      return [what, { ms: rounded(ms, 3), toTenth: ratio(ms, medianOf(small, what)) }];
    }),
  );
  tell({ nodes, steps }, json, () => describe(steps));
}

function medianOf(runs: readonly Times[], what: string): number {
  return median(runs.flatMap((times) => times.get(what) ?? []));
}

function describe(steps: Readonly<Record<string, StepFigures>>): string {
  const lines = Object.entries(steps).map(
    ([what, { ms, toTenth }]) => `${what.padEnd(24)}${ms} ms, ${toTenth ?? '?'} times that of a tenth`,
  );
  return lines.join('\n');
}
