// The real agent on the real things, as packages/agent/src/main.ts starts it, with every effect of it announced.

import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { connectNats } from '@swell/shared/adapters/nats-bus.ts';
import { runUntilSignal } from '@swell/shared/shell/lifecycle.ts';
import Docker from 'dockerode';
import { DockerEngine, STACK_LABEL } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import { FileJournals } from '../../packages/agent/src/adapters/journal.ts';
import { SILENT_OPERATOR } from '../../packages/agent/src/adapters/operator.ts';
import { Agent } from '../../packages/agent/src/shell/agent.ts';
import { readConfig } from '../../packages/agent/src/shell/config.ts';
import { announceBus } from './announced-bus.ts';
import { announceDocker } from './announced-docker.ts';
import { announceEngine, announceJournals } from './announced-parts.ts';
import { Announcer } from './announcer.ts';
import { parsePoint } from './point.ts';

const config = readConfig(process.env);
const announcer = new Announcer(parsePoint(process.env['SWELL_CRASH_AT'] ?? ''));
const logger = createLogger({ name: 'agent', level: config.logLevel }).child({ node: config.node });

process.exitCode = await runUntilSignal(async (signal) => {
  const docker = new Docker();
  const onStep = announceDocker(docker, announcer);
  const scope = { label: STACK_LABEL, value: config.scope.stack ?? '' };
  await using agent = new Agent({
    region: config.region,
    node: config.node,
    presenceEveryMs: config.presenceEveryMs,
    host: systemHost,
    engine: announceEngine(new DockerEngine({ docker, scope, onStep }), announcer),
    operator: SILENT_OPERATOR,
    journals: announceJournals(await FileJournals.open(config.stateDir), announcer),
    connectBus: async (ending) =>
      announceBus(
        await connectNats({
          ...config.bus,
          firstConnectTimeoutMs: Number.POSITIVE_INFINITY,
          signal: ending,
          onNotice: ({ kind, ...notice }) => logger.warn({ notice: kind, ...notice }, 'bus notice'),
        }),
        announcer,
      ),
    logger,
    onHandled: () => {},
  });
  await agent.run(signal);
}, logger);
