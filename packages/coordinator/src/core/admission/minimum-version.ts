/**
 * Who runs less than the minimum version? He is admitted by his name, whatever the cursor says, as soon as the first stage of
 * his region is there (P1). So that contention for slots depends on the slots here too, so many are named at a time as
 * admission lets wait (`admission.ts`).
 */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { isUnderWay, type RegionProgress, type Rollout } from '@swell/shared/domain/rollout.ts';
import { isVersionIn } from '@swell/shared/domain/version.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import type { NodeFacts } from '../nodes/census.ts';
import { type Line, lineOf, nodesStanding } from '../nodes/line.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import { isAwaited } from '../nodes/standing.ts';
import { activeRegions } from '../stage/regions.ts';
import { policyOf, type ServiceState, withRollout } from '../state.ts';
import { tell } from '../tell.ts';
import { WINDOW_HIGH, WINDOW_LOW } from './admission.ts';
import { CANARIES_PERCENT } from './canary.ts';

/** Of each region, however many slots it has: every wave carries their names, and nobody reads one without an end. */
const NAMED_MAX = 100;

export function keepMinimumVersion(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout) || rollout.paused !== undefined) return state;
  if (rollout.percent === CANARIES_PERCENT || !isCensusComplete(state, nowMs)) return state;
  const recent = recentDigests(state, rollout);
  return activeRegions(state, rollout).reduce((next, region) => {
    const progress = rollout.regions[region];
    return progress === undefined ? next : keepIn(next, { region, progress, recent }, nowMs);
  }, state);
}

interface Place {
  readonly region: Region;
  readonly progress: RegionProgress;
  /** Undefined: no version is asked for, or this release does not have it either. */
  readonly recent: ReadonlySet<Digest> | undefined;
}

function keepIn(state: ServiceState, { region, progress, recent }: Place, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined) return state;
  const { outdated: before = [] } = progress;
  if (recent === undefined && before.length === 0) return state;
  const outdated = named(lineOf(state.census, rollout, region, nowMs), progress, recent);
  if (sameValue(outdated, before)) return state;
  const kept = withRollout(state, {
    ...rollout,
    regions: { ...rollout.regions, [region]: { ...progress, outdated } },
  });
  return progress.outdated === undefined ? tellOutdated(kept, rollout, region) : kept;
}

/**
 * The next ones of the line, beside those who are awaited still, once there is room for some. Until then nobody is taken off:
 * each change is a wave to every node of the region.
 */
function named(
  line: Line,
  { cursor, slots, outdated = [] }: RegionProgress,
  recent: Place['recent'],
): readonly NodeId[] {
  const before = new Set(outdated);
  const awaited = nodesStanding(line, line.nodes.length, isAwaited);
  const still = awaited.filter(({ node }) => before.has(node));
  if (still.length >= Math.min(WINDOW_LOW * slots, NAMED_MAX / 2)) return outdated;
  const isOutdated = ({ node, rank, running }: NodeFacts): boolean =>
    rank >= cursor && !before.has(node) && running !== undefined && recent?.has(running) === false;
  const room = Math.min(WINDOW_HIGH * slots, NAMED_MAX) - still.length;
  const next = awaited.filter(isOutdated).slice(0, room);
  if (next.length === 0 && still.length > 0) return outdated;
  return [...still, ...next].map(({ node }) => node).sort();
}

/** A version is known by what the fleet has settled on; before a first release has settled nobody's is. */
function recentDigests(state: ServiceState, { release }: Rollout): Place['recent'] {
  const { settled } = state.record;
  const { minimumVersion } = policyOf(state);
  if (minimumVersion === undefined || settled.length === 0) return undefined;
  if (!isVersionIn(release.version, minimumVersion)) return undefined;
  const recent = settled.filter(({ version }) => isVersionIn(version, minimumVersion));
  return new Set([release, ...recent].map(({ image }) => image.digest));
}

function tellOutdated(state: ServiceState, { release }: Rollout, region: Region): ServiceState {
  const wanted = policyOf(state).minimumVersion?.join(' or ') ?? '';
  return tell(state, {
    name: 'nodes-outdated',
    rollout: release.rollout,
    region,
    line:
      `rollout ${release.rollout} of ${state.service}: nodes of ${region} whose version is not ${wanted} ` +
      'do not wait for their turn',
  });
}
