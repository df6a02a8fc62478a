#!/usr/bin/env node
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { runUntilSignal } from '@swell/shared/shell/lifecycle.ts';
import { readConfig } from './shell/config.ts';
import { runCoordinator } from './shell/coordinator.ts';

const logger = createLogger({ name: 'coordinator', level: 'info' });
void main();

/** Not awaited here: in the image this is CommonJS, which waits for nothing at its top (decision 20). */
async function main(): Promise<void> {
  process.exitCode = await runUntilSignal(
    (signal) => runCoordinator(readConfig(process.env), signal),
    logger,
  );
}
