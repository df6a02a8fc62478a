import type { NatsServer } from './nats.ts';
import { startNatsProcess } from './nats-process.ts';
import { freePorts } from './ports.ts';

/** Three servers that are one: processes, so that each finds the others on the loopback. */
export interface NatsCluster extends AsyncDisposable {
  readonly urls: readonly string[];
  /** The server of that name (`n0`, `n1`, `n2`), as a stream's info gives its leader. */
  server(name: string): NatsServer;
}

/** Starts three servers that know of each other; they may still be electing. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const ports = await freePorts(3);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  const servers = await Promise.all(
    ports.map((port, index) =>
      startNatsProcess({
        conf: `server_name: n${index}\ncluster { name: swell, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
      }),
    ),
  );
  return {
    urls: servers.map(({ url }) => url),
    server(name) {
      const found = servers[Number(name.slice(1))];
      if (found === undefined) throw new Error(`no server ${name}`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
