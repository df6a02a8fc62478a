import { describe, expect, it } from 'vitest';
import type { InspectedContainer } from '../inspected.ts';
import { dueDependents } from './dependents.ts';

const BEFORE = '2026-11-20T12:00:00.5Z';
const SINCE = '2026-11-20T12:00:01.25Z';

function container(
  name: string,
  dependsOn = '',
  { startedAt = BEFORE, running = true, labels = {} }: Partial<Changes> = {},
): InspectedContainer {
  const compose = {
    'com.docker.compose.project': 'shop',
    'com.docker.compose.service': name,
    'com.docker.compose.depends_on': dependsOn,
  };
  return {
    Id: name,
    Name: `/shop-${name}-1`,
    Image: 'v1',
    State: { Status: running ? 'running' : 'exited', Running: running, StartedAt: startedAt },
    Config: { Labels: { ...compose, ...labels } },
    HostConfig: {},
    NetworkSettings: {},
  };
}

interface Changes {
  readonly startedAt: string;
  readonly running: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

const web = container('web', '', { startedAt: SINCE });
const due = (...others: readonly InspectedContainer[]): readonly string[] =>
  dueDependents([web], [web, ...others]).map(({ Id }) => Id);

describe('restarted with what it depends on', () => {
  it('is who asked Compose for it, after those on whom he depends himself', () => {
    expect(
      due(
        container('edge', 'proxy:service_started:false,web:service_healthy:true'),
        container('proxy', 'web:service_started:true'),
      ),
    ).toEqual(['proxy', 'edge']);
  });

  it.each([
    ['did not ask for it', container('job', 'web:service_started:false')],
    ['depends on another one', container('job', 'website:service_started:true')],
    ['has been started since', container('job', 'web:service_started:true', { startedAt: SINCE })],
    ['does not run', container('job', 'web:service_started:true', { running: false })],
    [
      'is a service of its own',
      container('job', 'web:service_started:true', { labels: { 'swell.service': 'job' } }),
    ],
    [
      'is of another project',
      container('job', 'web:service_started:true', { labels: { 'com.docker.compose.project': 'other' } }),
    ],
  ])('is nobody who %s', (_, job) => {
    expect(due(job)).toEqual([]);
  });
});
