#!/usr/bin/env node
import { runSwell } from './shell/swell.ts';

const exitCode = await runSwell(process.argv.slice(2), process.env);
// Once all is written: a request whose answer the closed connection cannot bring any more would hold the process for seconds.
process.stdout.write('', () => process.exit(exitCode));
