// npm run demo [-- options]: the main job with real parts, set up, shown and judged. Exit code 0: all is as it should be.

import { constants } from 'node:os';
import { wantedOptions } from '../support/command-line.ts';
import { runDemo } from './demo.ts';
import { type DemoOptions, readOptions, USAGE } from './options.ts';
import { openScreen } from './screen.ts';

const options = wantedOptions(readOptions, USAGE);
if (options !== undefined) process.exit(await show(options));

async function show(chosen: DemoOptions): Promise<number> {
  const stop = new AbortController();
  let stopped: NodeJS.Signals | undefined;
  // A terminal that was closed takes no more words; what was started is taken away all the same.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // Once more: whoever waits has no patience for the cleaning up. A terminal's end reaches us by several ways at once.
      if (stop.signal.aborted && name !== 'SIGHUP') process.exit(128 + constants.signals[name]);
      stopped = name;
      stop.abort();
    });
  }
  using screen = openScreen(process.stdout);
  try {
    const result = await runDemo(chosen, screen, stop.signal);
    if (chosen.json) console.log(JSON.stringify(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    // Behind the ^C that a terminal echoes.
    screen.say([], [{ text: 'Stopped; all that was started is gone.', tone: 'plain' }]);
    return 128 + constants.signals[stopped ?? 'SIGINT'];
  }
}
