/**
 * What libraries bring and no program of ours uses. The image goes without it, and without all that only it needs; where
 * somebody does come to need it, what stands in its place says so and names the remedy. Nothing pretends to work.
 */

import type { Plugin } from 'rolldown';

/** A library's own file, and what is said where it is needed after all. */
export type LeftOut = Readonly<Record<string, string>>;

const FROM_SOURCE =
  'or run the agent from its source (node packages/agent/src/main.ts), which has everything';

export const LEFT_OUT: LeftOut = {
  // ssh2, with its native parts.
  'docker-modem/lib/ssh.js': `DOCKER_HOST=ssh://… needs an SSH client, and this image has none. Mount Docker's socket, point DOCKER_HOST to tcp:// or to the end of a tunnel (ssh -L), ${FROM_SOURCE}.`,
  // grpc and protobufjs.
  'dockerode/lib/session.js': `Builds with sessions need gRPC, and this image has none: agents build no images. Use docker build, ${FROM_SOURCE}.`,
  'dockerode/lib/buildkit.js': `BuildKit's progress needs protobuf, and this image has none: agents build no images. Use docker build, ${FROM_SOURCE}.`,
  // Threads and processes beside the only one there is.
  'pino/lib/transport.js': `Transports of the logger are not in this image: it writes to standard output. Let Docker's log driver carry it on, ${FROM_SOURCE}.`,
  'prom-client/lib/cluster.js':
    'Metrics of several processes are not in this image: it is one process. Ask its own /metrics.',
  'prom-client/lib/pushgateway.js':
    'The client of a Pushgateway is not in this image. Let Prometheus ask for /metrics.',
};

/** Puts a refusal in the place of each; `met` learns which of them the program would have had. */
export function leaveOut(files: LeftOut, met: (file: string) => void): Plugin {
  return {
    name: 'leave-out',
    load(id) {
      const path = id.replaceAll('\\', '/');
      const file = Object.keys(files).find((one) => path.endsWith(`/node_modules/${one}`));
      if (file === undefined) return undefined;
      met(file);
      return refusal(files[file] ?? file);
    },
  };
}

/** It may be passed on, as libraries do with all that they export; whoever calls it or looks into it is told. */
function refusal(sentence: string): string {
  return `
    const refuse = () => {
      throw new Error(${JSON.stringify(sentence)});
    };
    const traps = ['apply', 'construct', 'get', 'has', 'set', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'];
    module.exports = new Proxy(function leftOut() {}, Object.fromEntries(traps.map((trap) => [trap, refuse])));
  `;
}
