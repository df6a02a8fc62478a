import { describe, expect, it } from 'vitest';
import { readShapes } from '../bus/definition.ts';
import { OneNode } from './world.ts';

const SHAPES = await readShapes();

describe('an agent that is a service of its own node', () => {
  it('is updated, and goes back from what is not well', async () => {
    using node = new OneNode('calm', SHAPES, 'always');
    await node.open();
    node.release('v2', 'well');
    await node.run(120_000, () => node.reports.some(({ status }) => status === 'healthy'));
    await node.run(60_000, () => node.isQuiet);
    expect(node.violation ?? node.reports.map(({ status }) => status)).toEqual(['staged', 'updating', 'healthy']);
    node.release('v3', 'sick');
    await node.run(240_000, () => node.reports.some(({ status }) => status === 'failed'));
    await node.run(60_000, () => node.isQuiet);
    node.finish();
    expect(node.violation).toBeUndefined();
  });
});
