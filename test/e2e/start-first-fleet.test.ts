/**
 * A whole fleet under `maxSurge: 1`: the new one is well beside the old one before that stops, on every node; and where it is
 * not well, no old one has stopped.
 */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { describe, expect, it } from 'vitest';
import type { FleetNode } from '../fleet/fleet.ts';
import { fleetOfThisFile, givePolicy, QUICK, untilRuns } from '../fleet/scenario.ts';
import { untilEvent } from '../fleet/watching.ts';
import { startNatsProcess } from '../support/nats-process.ts';

/** What an attempt is about. */
const BUSY: readonly unknown[] = [
  'preparing',
  'draining',
  'surging',
  'swapping',
  'probing',
  'settling',
  'reverting',
];
/** Those between which a node may be without its service. */
const OUT: readonly unknown[] = ['draining', 'swapping'];
const SURGING = { ...QUICK, stages: [100], maxSurge: 1, drain: { time: '10s' } } as const;

describe('a fleet that starts the new container first', () => {
  const fleet = fleetOfThisFile({
    regions: { 'eu-west': 3, 'us-east': 2 },
    startBus: startNatsProcess,
    memory: { v1: 'well', v2: 'well', v3: 'sick' },
  });
  let v2: PinnedImage;

  it('is updated, each node with the new one beside the old one', async () => {
    await givePolicy(fleet(), SURGING);
    v2 = await fleet().publishImage('v2');
    const rollout = await fleet().release({ image: `${fleet().repository}:v2` });
    await untilEvent(fleet(), 'rollout-settled', rollout);
    for (const node of fleet().nodes) await untilRuns(fleet(), node, v2);
    for (const node of fleet().nodes)
      expect(phasesOf(node)).toEqual(['preparing', 'surging', 'probing', 'swapping', 'probing', 'settling']);
  });

  it('stays as it is where the new one is not well', async () => {
    await givePolicy(fleet(), { ...SURGING, health: { ...SURGING.health, healthyDeadline: '2s' } });
    const from = new Map(fleet().nodes.map((node) => [node, phasesOf(node).length]));
    await fleet().publishImage('v3');
    const rollout = await fleet().release({ image: `${fleet().repository}:v3` });
    await untilEvent(fleet(), 'rollout-rested', rollout);
    for (const node of fleet().nodes) await untilRuns(fleet(), node, v2);
    const since = fleet().nodes.map((node) => phasesOf(node).slice(from.get(node)));
    expect(since.some((phases) => phases.includes('surging'))).toBe(true);
    expect(since.flat().filter((phase) => OUT.includes(phase))).toEqual([]);
  });

  /** What its agent has been about, one after the other, but for its waiting. */
  function phasesOf(node: FleetNode): readonly unknown[] {
    const phases = fleet()
      .agentOf(node)
      .lines.map(({ phase }) => phase)
      .filter((phase) => BUSY.includes(phase));
    return phases.filter((phase, index) => phase !== phases[index - 1]);
  }
});
