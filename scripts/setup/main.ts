// npm run setup: gets everything that the demo and the tests need, and says what is at hand.
import { ensureDocker } from './docker.ts';
import { ensureTools } from './tools.ts';

const say = (line: string): void => console.log(line);

try {
  const docker = await ensureDocker(say);
  const forDocker = docker.available ? (['docker', 'docker-compose'] as const) : [];
  const tools = await ensureTools(['nats-server', 'nats', 'docker-registry', 'busybox', ...forDocker], say);
  say(docker.available ? `docker: ${docker.host}` : `without Docker: ${docker.reason}`);
  // Only the tests and the bench of traffic need the one, only those of gates the other.
  for (const tool of ['haproxy', 'prometheus'] as const)
    await ensureTools([tool], say).catch((error: Error) => say(error.message));
  for (const [tool, path] of Object.entries(tools)) {
    say(`${tool}: ${path}`);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
