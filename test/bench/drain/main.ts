// npm run bench:drain [-- options]: a fleet behind HAProxy is rolled twice under load, with drain and then without.
// Exit code 0: with drain no request failed, and no rule was broken.

import { wantedOptions } from '../../support/command-line.ts';
import { benchDrain } from './bench.ts';
import { readOptions, USAGE } from './options.ts';

const options = wantedOptions(readOptions, USAGE);
if (options !== undefined) {
  const result = await benchDrain(options, (line) => console.log(line));
  if (options.json) console.log(JSON.stringify(result));
  process.exit(result.failed === 0 && result.violations === 0 ? 0 : 1);
}
