/** What is wrong with the server itself: too old for what we rely on, or acknowledging what is not on the disk yet. */

const MINIMUM = [2, 11] as const;
const MONITORING_TIMEOUT_MS = 3_000;

/** One thing about a server that somebody should change. */
export interface ServerConcern {
  /** The version for the one that we are connected to, else the monitoring address that was asked. */
  readonly server: string;
  readonly setting: 'version' | 'sync_interval';
  readonly expected: string;
  readonly found: string;
}

/** Asks what can be asked; a monitoring address that does not answer is a concern too, never an error. */
export async function serverConcerns(
  version: string,
  monitoringUrls: readonly string[],
): Promise<readonly ServerConcern[]> {
  const syncs = await Promise.all(monitoringUrls.map(syncConcern));
  return [versionConcern(version), ...syncs].filter((concern) => concern !== undefined);
}

function versionConcern(version: string): ServerConcern | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = MINIMUM;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined;
  return { server: version, setting: 'version', expected: `${MINIMUM.join('.')} or newer`, found: version };
}

async function syncConcern(url: string): Promise<ServerConcern | undefined> {
  const found = await readSync(url);
  return found === 'always'
    ? undefined
    : { server: url, setting: 'sync_interval', expected: 'always', found };
}

async function readSync(url: string): Promise<string> {
  try {
    const answer = await fetch(new URL('/jsz', url), { signal: AbortSignal.timeout(MONITORING_TIMEOUT_MS) });
    const body: unknown = await answer.json();
    const config = fieldOf(body, 'config');
    if (fieldOf(config, 'sync_always') === true) return 'always';
    const nanoseconds = fieldOf(config, 'sync_interval');
    return typeof nanoseconds === 'number' ? `${nanoseconds / 1e9}s` : 'unknown: no such field';
  } catch (error) {
    return `unknown: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === field)?.[1]
    : undefined;
