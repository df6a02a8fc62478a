#!/usr/bin/env node
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { runUntilSignal } from '@swell/shared/shell/lifecycle.ts';
import { readConfig } from './shell/config.ts';
import { openEngine } from './shell/open-engine.ts';
import { runAgent } from './shell/run-agent.ts';

const logger = createLogger({ name: 'agent', level: 'info' });
process.exitCode = await runUntilSignal(async (signal) => {
  const config = readConfig(process.env);
  const engine = await openEngine(config, (concern) => logger.warn({ concern }, 'engine notice'));
  await runAgent(config, engine, signal);
}, logger);
