#!/usr/bin/env node
import { runSwell } from './shell/swell.ts';

process.exitCode = await runSwell(process.argv.slice(2), process.env);
