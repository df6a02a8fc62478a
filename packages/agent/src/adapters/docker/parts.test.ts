import { describe, expect, it } from 'vitest';
import { lastGoodFor } from './images/last-good.ts';
import { dependencies, inOrder, partOf } from './parts.ts';

const COMPOSED = { 'com.docker.compose.service': 'web' };

describe('the part that a container is', () => {
  it("is Compose's service, or what the operator calls it", () => {
    expect(partOf({})).toBeUndefined();
    expect(partOf(COMPOSED)).toBe('web');
    expect(partOf({ ...COMPOSED, 'swell.part': 'front' })).toBe('front');
    expect(partOf({ ...COMPOSED, 'swell.part': 'a front' })).toBeUndefined();
    expect(partOf({ 'swell.part': 'constructor' })).toBeUndefined();
  });

  it('comes after those that Compose starts before it', () => {
    expect(dependencies({})).toEqual([]);
    expect(
      dependencies({
        'com.docker.compose.depends_on': 'db:service_healthy:true,cache:service_started:false',
      }),
    ).toEqual(['db', 'cache']);
  });
});

describe('an order', () => {
  const order = (items: readonly string[], needs: Readonly<Record<string, readonly string[]>>) =>
    inOrder(items, (one, other) => needs[one]?.includes(other) === true);

  it('puts everybody after those whom he needs, and leaves the others as they are', () => {
    expect(order(['a', 'b', 'c', 'd'], { a: ['c'], c: ['d'] })).toEqual(['b', 'd', 'c', 'a']);
    expect(order(['a', 'b'], {})).toEqual(['a', 'b']);
  });

  it('has an end where they need each other', () => {
    expect(order(['a', 'b', 'c'], { a: ['b'], b: ['a'] })).toEqual(['c', 'a', 'b']);
  });
});

describe('what a container goes back to', () => {
  const good = (id: string) => ({ 'swell.last-good.image-id': id, 'swell.last-good.digest': `of ${id}` });
  const part = (name: string) => ({
    'swell.swap.attempt': '7.update.1',
    'swell.swap.replaces': 'old',
    'swell.swap.restart-policy': 'always:0',
    'swell.swap.reference': 'web:1',
    'swell.swap.part': name,
    'com.docker.compose.service': name,
  });

  it('is what it says itself, or another one of its service says', () => {
    expect(lastGoodFor(good('a'), [good('b')])).toEqual({ id: 'a', digest: 'of a' });
    expect(lastGoodFor(COMPOSED, [COMPOSED, good('b')])).toEqual({ id: 'b', digest: 'of b' });
    expect(lastGoodFor(COMPOSED, [COMPOSED])).toBeUndefined();
  });

  it('is never the image of another part', () => {
    const web = { ...part('web'), ...good('a') };
    const worker = { 'com.docker.compose.service': 'worker' };
    expect(lastGoodFor(worker, [web, worker])).toBeUndefined();
    const replica = { 'com.docker.compose.service': 'web' };
    expect(lastGoodFor(replica, [web, replica])).toEqual({ id: 'a', digest: 'of a' });
  });
});
