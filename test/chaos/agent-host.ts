// One process with the agents of several nodes, each of them whole: node agent-host.ts <configuration as JSON>

import { join } from 'node:path';
import { FileJournals } from '@swell/agent/adapters/journal.ts';
import { SILENT_OPERATOR } from '@swell/agent/adapters/operator.ts';
import { Agent } from '@swell/agent/shell/agent.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { connectNats } from '@swell/shared/adapters/nats-bus.ts';
import { runUntilSignal } from '@swell/shared/shell/lifecycle.ts';
import { RemoteEngine } from './remote-engine.ts';

export interface HostConfig {
  readonly nodes: readonly { readonly region: string; readonly name: string }[];
  readonly servers: readonly string[];
  /** Of the machines. */
  readonly socket: string;
  /** Journals: a folder for each node. */
  readonly stateDir: string;
}

const PRESENCE_EVERY_MS = 5_000;

const logger = createLogger({ name: 'agent', level: 'info' });

async function runNode(
  { servers, socket, stateDir }: HostConfig,
  { region, name }: HostConfig['nodes'][number],
  signal: AbortSignal,
): Promise<void> {
  const ours = logger.child({ node: name });
  await using agent = new Agent({
    region,
    node: name,
    presenceEveryMs: PRESENCE_EVERY_MS,
    host: systemHost,
    engine: await RemoteEngine.open(socket, name),
    operator: SILENT_OPERATOR,
    journals: await FileJournals.open(join(stateDir, name)),
    connectBus: (ending) =>
      connectNats({
        servers,
        name: `swell-agent ${region}.${name}`,
        firstConnectTimeoutMs: Number.POSITIVE_INFINITY,
        signal: ending,
        onNotice: ({ kind, ...notice }) => ours.warn({ notice: kind, ...notice }, 'bus notice'),
      }),
    logger: ours,
    onHandled: () => {},
  });
  await agent.run(signal);
}

process.exitCode = await runUntilSignal(async (signal) => {
  const config = JSON.parse(process.argv[2] ?? '') as HostConfig;
  await Promise.all(config.nodes.map((node) => runNode(config, node, signal)));
}, logger);
