/** The three ways that an agent goes through here, and how each must end. */

import type { HealthCheck } from '@swell/shared/domain/health.ts';
import type { Result } from '@swell/shared/domain/report.ts';
import { WEB_PORT } from '../support/docker.ts';

/** The images of a machine, by their tags. */
export const IMAGES = ['v1', 'v2', 'sick'] as const;
export type ImageTag = (typeof IMAGES)[number];

export const FLOW_NAMES = ['good', 'sick', 'halt'] as const;
export type FlowName = (typeof FLOW_NAMES)[number];

export interface Flow {
  readonly name: FlowName;
  readonly startsOn: ImageTag;
  /** What its wave brings. */
  readonly brings: ImageTag;
  /** Once the node is well on it, it is halted. */
  readonly isHalted: boolean;
  /** The node's last word. */
  readonly endsAs: Result;
  readonly endsOn: ImageTag;
  readonly healthyDeadlineMs: number;
}

export const FLOWS: Readonly<Record<FlowName, Flow>> = {
  good: {
    name: 'good',
    startsOn: 'v1',
    brings: 'v2',
    isHalted: false,
    endsAs: 'healthy',
    endsOn: 'v2',
    healthyDeadlineMs: 20_000,
  },
  sick: {
    name: 'sick',
    startsOn: 'v1',
    brings: 'sick',
    isHalted: false,
    endsAs: 'failed',
    endsOn: 'v1',
    healthyDeadlineMs: 1_500,
  },
  halt: {
    name: 'halt',
    startsOn: 'v2',
    brings: 'v2',
    isHalted: true,
    endsAs: 'returned',
    endsOn: 'v1',
    healthyDeadlineMs: 20_000,
  },
};

/** Few probes, each of them a point or two: what the second shows, the ninth shows too. */
export function healthOf({ healthyDeadlineMs }: Flow): HealthCheck {
  return {
    probe: { kind: 'http', port: WEB_PORT, path: '/health' },
    intervalMs: 600,
    probeTimeoutMs: 2_000,
    minHealthyTimeMs: 1_200,
    healthyDeadlineMs,
  };
}
