#!/usr/bin/env node
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { runUntilSignal } from '@swell/shared/shell/lifecycle.ts';
import { readConfig } from './shell/config.ts';
import { openEngine } from './shell/open-engine.ts';
import { runAgent } from './shell/run-agent.ts';

const logger = createLogger({ name: 'agent', level: 'info' });
void main();

/** Not awaited here: in the image this is CommonJS, which waits for nothing at its top (decision 20). */
async function main(): Promise<void> {
  process.exitCode = await runUntilSignal(async (signal) => {
    const config = readConfig(process.env);
    await runAgent(config, await openEngine(config, logger, signal), signal);
  }, logger);
}
