/**
 * The node's answer to whoever balances the load: an HTTP path for each service, and HAProxy's agent check. Both come from
 * memory, so that they are as fast under load as at rest.
 */

import { createServer, type Socket } from 'node:net';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Rotation } from '@swell/shared/domain/traffic.ts';
import type { Answer, StatusServerOptions } from '@swell/shared/shell/status-server.ts';
import { listening } from '@swell/shared/shell/status-server.ts';

interface Told {
  readonly serviceNames: readonly ServiceName[];
  tellRotation(service: ServiceName): Rotation | undefined;
}

const PATH = /^\/rotation\/([^/]+)$/;

/** `/rotation/<service>`: 200 while it wants traffic, 503 while it does not; cloud balancers ask nothing else. */
export function rotationPaths(agent: Told): NonNullable<StatusServerOptions['more']> {
  return {
    paths: '/rotation/<service>',
    answer(path): Answer | undefined {
      const [, service] = PATH.exec(path) ?? [];
      if (service === undefined) return undefined;
      const rotation = agent.tellRotation(service);
      if (rotation === undefined) return { status: 404, body: `there is no service ${service} here\n` };
      switch (rotation.is) {
        case 'in':
          return { status: 200, body: `in rotation, weight ${rotation.weightPercent} %\n` };
        case 'draining':
          return { status: 503, body: 'draining\n' };
        case 'out':
          return { status: 503, body: `out of rotation: ${rotation.why}\n` };
        case 'unknown':
          return { status: 503, body: `not known: ${rotation.why}\n` };
      }
    },
  };
}

export interface AgentCheckOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly agent: Told;
}

export interface AgentCheck extends AsyncDisposable {
  readonly port: number;
}

/** Who has said nothing by then is told of the only service there is. */
const NAMED_WITHIN_MS = 300;
const QUESTION_LENGTH_MAX = 100;
/** Who has his line and does not hang up by then is cut off, lest he keep a program that ends. */
const LEAVES_WITHIN_MS = 2_000;

/**
 * HAProxy's agent check, one line for each connection. `agent-send "<service>\n"` says which service is meant.
 *
 * @see https://docs.haproxy.org/3.0/configuration.html#5.2-agent-check
 */
export async function startAgentCheck({ host, port, agent }: AgentCheckOptions): Promise<AgentCheck> {
  const server = createServer((socket) => answerCheck(socket, agent));
  return listening(server, host, port);
}

function answerCheck(socket: Socket, agent: Told): void {
  let question = '';
  const answer = (): void => {
    clearTimeout(timer);
    socket.removeAllListeners('data');
    socket.end(`${lineFor(question.trim(), agent)}\n`);
  };
  const timer = setTimeout(answer, NAMED_WITHIN_MS);
  const leaving = setTimeout(() => socket.destroy(), LEAVES_WITHIN_MS);
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    question += text;
    if (question.includes('\n') || question.length > QUESTION_LENGTH_MAX) answer();
  });
  // HAProxy hangs up as soon as it has its line.
  socket.on('error', () => {});
  socket.on('close', () => {
    clearTimeout(timer);
    clearTimeout(leaving);
  });
}

/**
 * HAProxy leaves a server as it is where it does not know a word. By its weight alone: `ready` would end a maintenance that
 * a person set at HAProxy's socket, and so would `drain`. No new request goes to a server of weight 0.
 */
function lineFor(question: string, agent: Told): string {
  const [only, ...others] = agent.serviceNames;
  const service = question === '' && others.length === 0 ? only : question;
  const rotation = service === undefined ? undefined : agent.tellRotation(service);
  switch (rotation?.is) {
    case undefined:
      return '# say which service: agent-send "<service>\\n"';
    case 'in':
      return `up ${rotation.weightPercent}%`;
    case 'draining':
    case 'out':
      return 'up 0%';
    // An agent that has been started again, on all nodes at once perhaps, takes nobody out.
    case 'unknown':
      return `# ${rotation.why}`;
  }
}
