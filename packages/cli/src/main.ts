#!/usr/bin/env node
import { constants } from 'node:os';
import { runSwell } from './shell/swell.ts';

// Whoever reads had enough (`swell history web | head`): ended as the other commands of a pipe are, by no trace of the stack.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(128 + constants.signals.SIGPIPE);
  });
const exitCode = await runSwell(process.argv.slice(2), process.env);
// Once all is written: a request whose answer the closed connection cannot bring any more would hold the process for seconds.
process.stdout.write('', (error) => {
  if (!error) process.exit(exitCode);
});
