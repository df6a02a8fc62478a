import type { Dependency } from './dependency.ts';
import type { Gate } from './gate.ts';
import type { HealthCheck } from './health.ts';
import type { HoldRule } from './hold.ts';
import type { Region } from './names.ts';
import type { SafeRate } from './pace.ts';
import { type Drain, longestDrainMs, longestRejoinMs, type Rejoin } from './traffic.ts';
import type { Watch } from './watch.ts';
import { isOpenTime, nextOpenTime, type OpenTimes } from './window.ts';

/** A number of nodes, or a share of them. */
export type Share =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number };

/** How many containers of a service a node may run beside those that it has. */
export type MaxSurge = 0 | 1;

/** In the windows of a policy: every region that has none of its own. */
export const ELSEWHERE = '*';

/** How rollouts of a service behave. */
export interface Policy {
  /** Rising, each in (0, 100], the last one 100. */
  readonly stagesPercent: readonly number[];
  /** Who opens the next stage. */
  readonly approval: 'manual' | 'automatic';
  /** How fast a stage takes its nodes in; missing: as fast as slots become free. */
  readonly safeRate?: SafeRate;
  /** When nodes of a region may start, by the clock there; `*`: in each that is not named. Missing: at any time. */
  readonly windows?: Readonly<Record<string, OpenTimes>>;
  /** A release has been published for this long before it begins. */
  readonly coolDownMs: number;
  /** Services that come first. */
  readonly dependsOn?: readonly Dependency[];
  /** How many nodes of a region may be out of rotation by our doing (I1). */
  readonly maxUnavailable: Share;
  /** Share of a stage's present nodes that must have the image before the stage opens. */
  readonly stagingQuorumPercent: number;
  /** Nodes spread their downloads over this long. */
  readonly stagingSpreadMs: number;
  /** How long a finished stage is watched before anything follows. */
  readonly soakMs: number;
  /** Instead of it, for the first group of regions, once it is through. */
  readonly firstGroupSoakMs?: number;
  /** What is asked of Prometheus before a stage that was watched is over. */
  readonly gates?: readonly Gate[];
  /** Who goes before everybody else, in each group of regions. */
  readonly canary?: Canary;
  /** Versions and ranges that are recent enough; nodes on others do not wait for their turn. Missing: all are. */
  readonly minimumVersion?: readonly string[];
  /** No node got further for this long: the rollout pauses and says why. */
  readonly progressDeadlineMs: number;
  readonly failureBudget: FailureBudget;
  /** Nodes that rollouts pass over for now. */
  readonly hold?: readonly HoldRule[];
  /** Regions side by side, or group after group; regions that no group names come last. */
  readonly regions: 'parallel' | readonly (readonly Region[])[];
  /** A tag whose new digests become releases. */
  readonly watch?: Watch;
  readonly slotLeaseMs: number;
  /** Between the stop signal and the kill; the container's own where it is missing. */
  readonly stopTimeoutMs?: number;
  /** 1: a node starts the new container before it stops the old one, where the two can run side by side. */
  readonly maxSurge: MaxSurge;
  readonly health: HealthCheck;
  readonly drain: Drain;
  readonly rejoin: Rejoin;
}

/** Nodes with the label are a stage of their own, before the first one. */
export interface Canary {
  readonly label: string;
  readonly soakMs: number;
}

export interface FailureBudget {
  /** More failed nodes than this halt the rollout. */
  readonly max: Share;
  /** While a stage runs, a percentage counts only from this many attempts on. */
  readonly minSample: number;
}

/** A policy in part: what a person wrote in the bucket, or beside a release. */
export type PolicyLayer = Partial<Omit<Policy, Layered>> & {
  readonly [Field in Layered]?: Partial<Policy[Field]>;
};

/** Fields whose own fields are laid over each other one by one. */
type Layered = 'health' | 'drain' | 'rejoin';

/** One policy of several layers, later ones over earlier ones, over the defaults. */
export function layeredPolicy(...layers: readonly PolicyLayer[]): Policy {
  return layers.reduce<Policy>(
    (policy, layer) => ({
      ...policy,
      ...layer,
      health: { ...policy.health, ...layer.health },
      drain: { ...policy.drain, ...layer.drain },
      rejoin: { ...policy.rejoin, ...layer.rejoin },
    }),
    DEFAULT_POLICY,
  );
}

/** May nodes of a region start now? @param atMs ms since 1970, UTC */
export function isOpenIn({ windows = {} }: Policy, region: Region, atMs: number): boolean {
  const times = windows[region] ?? windows[ELSEWHERE];
  return times === undefined || isOpenTime(times, atMs);
}

/** When nodes of a region may start next; `undefined`: that is not in sight. @param atMs ms since 1970, UTC */
export function nextOpenIn({ windows = {} }: Policy, region: Region, atMs: number): number | undefined {
  const times = windows[region] ?? windows[ELSEWHERE];
  return times === undefined ? atMs : nextOpenTime(times, atMs);
}

/** When nodes of a region may start, for a person to read. */
export function describeOpenTimes({ windows = {} }: Policy, region: Region): string {
  const { windows: open = [], except = [] } = windows[region] ?? windows[ELSEWHERE] ?? {};
  const but = except.length === 0 ? '' : `, not on ${except.join(', ')}`;
  return `${region} (open ${open.map(({ text }) => text).join('; ')}${but})`;
}

/** What is wrong with a policy as a whole, each with its remedy. Fields by themselves are checked where they are read. */
export function policyProblems(policy: Policy): readonly string[] {
  const { health, drain } = policy;
  const problems: string[] = [];
  if (health.minHealthyTimeMs >= health.healthyDeadlineMs) {
    problems.push('health.minHealthyTime must be shorter than health.healthyDeadline');
  }
  if (health.healthyDeadlineMs >= policy.progressDeadlineMs) {
    problems.push('health.healthyDeadline must be shorter than progressDeadline: raise progressDeadline');
  } else if (turnMs(policy) >= policy.progressDeadlineMs) {
    problems.push(
      'drain.max, health.healthyDeadline and rejoin.max together must be shorter than progressDeadline: raise it',
    );
  }
  if (drain.timeMs > longestDrainMs(drain))
    problems.push('drain.time must not be longer than drain.max: raise drain.max');
  for (const { name, forMs, everyMs } of policy.gates ?? []) {
    if (forMs >= policy.progressDeadlineMs)
      problems.push(`gates: for of ${name} must be shorter than progressDeadline: raise progressDeadline`);
    // Once the soak is over, the rollout pauses before it is asked again, whoever lets it go on.
    else if (forMs > policy.soakMs && everyMs >= policy.progressDeadlineMs)
      problems.push(
        `gates: every of ${name} must be shorter than progressDeadline, or its for no longer than soak`,
      );
  }
  return problems;
}

/** How long a node's turn may take, but for the engine's own work. */
function turnMs({ drain, health, rejoin }: Policy): number {
  return longestDrainMs(drain) + health.healthyDeadlineMs + longestRejoinMs(rejoin);
}

export const DEFAULT_POLICY: Policy = {
  stagesPercent: [6.25, 12.5, 25, 50, 100],
  approval: 'manual',
  coolDownMs: 0,
  maxUnavailable: { kind: 'percent', percent: 5 },
  stagingQuorumPercent: 80,
  stagingSpreadMs: 30_000,
  soakMs: 300_000,
  progressDeadlineMs: 900_000,
  failureBudget: { max: { kind: 'percent', percent: 10 }, minSample: 5 },
  regions: 'parallel',
  slotLeaseMs: 120_000,
  maxSurge: 0,
  health: {
    probe: { kind: 'automatic' },
    intervalMs: 2_000,
    probeTimeoutMs: 2_000,
    minHealthyTimeMs: 10_000,
    healthyDeadlineMs: 300_000,
  },
  drain: { checks: 0, timeMs: 0, maxMs: 60_000 },
  rejoin: { checks: 0, maxMs: 30_000, rampMs: 0 },
};

/**
 * How many of `nodes` a share allows to be down: rounded down, but never nobody, else a small fleet would never update.
 */
export function unavailableLimit(share: Share, nodes: number): number {
  if (share.kind === 'count') return share.count;
  return Math.max(1, Math.floor(exactly((nodes * share.percent) / 100)));
}

/** How many of `nodes` a stage of `percent` takes in: rounded up, so that a small fleet's first stage is not empty. */
export function stageSize(percent: number, nodes: number): number {
  return Math.min(nodes, Math.ceil(exactly((nodes * percent) / 100)));
}

/** 7.000000000000001 is 7: percentages with two decimals of counts below 10^9 stay exact. */
export function exactly(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
