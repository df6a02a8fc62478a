/**
 * A fleet in three scopes, small and calm: a release that is good, and one that is bad in a single region, while nobody is there
 * to broadcast it. Where coordinators know their own regions and heed each other, the one settles everywhere, and the other is
 * halted wherever anybody leads.
 */

import { ServicesStage } from '../scenarios/services.ts';
import { digestOf } from '../world.ts';

/** Of each region the scope that leads it; the last one is the global coordinator's. */
const WHOSE: Readonly<Record<string, string | undefined>> = { eu: 'europe', us: 'america', ap: undefined };
const SCOPES = ['europe', 'america'];
const NODES_EACH = 3;
/** Far more than either release takes. */
const PATIENCE_MS = 600_000;

export interface Broken {
  readonly rule: string;
  readonly message: string;
}

export async function liveInScopes(seed: string): Promise<readonly Broken[]> {
  const regions = Object.keys(WHOSE).flatMap((region) => Array<string>(NODES_EACH).fill(region));
  const policy = { failureBudget: { max: 0, minSample: 1 }, stages: [50, 100], soak: '30s' };
  using stage = await ServicesStage.open({ web: policy }, regions, SCOPES, seed);
  for (const [region, scope] of Object.entries(WHOSE)) if (scope !== undefined) stage.assign(region, scope);
  await stage.pass(60_000);
  const good = stage.release('web');
  await stage.pass(PATIENCE_MS);
  for (const node of stage.nodes.filter(({ region }) => region === 'us'))
    stage.ailments.ail(digestOf('v3'), 'sick', node.name);
  stage.killCoordinators((scope) => scope === undefined);
  const bad = stage.release('web');
  await stage.pass(PATIENCE_MS);
  return [
    ...stage.found(),
    ...foreignWaves(stage),
    ...untold(stage, 'I14', 'rollout-settled', good, Object.values(WHOSE)),
    ...untold(stage, 'B12', 'rollout-rested', bad, SCOPES),
  ];
}

/** N6. A region's waves are written by the leader of its scope alone. */
function foreignWaves({ entries }: ServicesStage): readonly Broken[] {
  const begun = new Set<string>();
  return entries.flatMap((entry) => {
    if (entry.kind !== 'wave') return [];
    const { region, scope } = entry.wave;
    if (scope === WHOSE[region]) begun.add(region);
    // Until the scope has begun the region was the global one's.
    if (scope === WHOSE[region] || (scope === undefined && !begun.has(region))) return [];
    const message = `the leader of ${scope ?? 'the global scope'} wrote wave ${entry.revision} of ${region}`;
    return [{ rule: 'N6', message }];
  });
}

function untold(
  { events }: ServicesStage,
  rule: string,
  wanted: 'rollout-settled' | 'rollout-rested',
  rollout: number,
  by: readonly (string | undefined)[],
): readonly Broken[] {
  const tellers = events.filter((event) => event.name === wanted && event.rollout === rollout);
  return by
    .filter((scope) => !tellers.some((event) => event.scope === scope))
    .map((scope) => ({ rule, message: `${scope ?? 'the global scope'} never told ${wanted} of ${rollout}` }));
}
