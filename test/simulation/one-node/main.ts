/** Lives through storm after storm, and tells of the first that breaks a rule: `npm run sim:node -- [seeds] [first]`. */

import { readShapes } from '../bus/definition.ts';
import { liveThrough } from './storm.ts';

const [seeds = '100', first = '0'] = process.argv.slice(2);
const shapes = await readShapes();
const statuses = new Map<string, number>();

for (let number = Number(first); number < Number(first) + Number(seeds); number += 1) {
  const outcome = await liveThrough(`n${number}`, shapes);
  for (const status of outcome.statuses) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  if (outcome.violation === undefined) continue;
  console.log(JSON.stringify({ seed: `n${number}`, ...outcome }));
  process.exit(1);
}
console.log(JSON.stringify({ seeds: Number(seeds), broken: 0, reports: Object.fromEntries(statuses) }));
// Node keeps deadlines of questions that nobody waits for any more.
process.exit(0);
