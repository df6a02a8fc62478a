import { describe, expect, it } from 'vitest';
import {
  type Holder,
  mayTake,
  NODE_LEASE_MS,
  type NodeLease,
  type ProcessMark,
  sight,
} from './node-lease.ts';

const run: ProcessMark = { boot: 'b', pidNamespace: 'pid:[1]', pid: 1, startedAt: '100' };
const elsewhere: ProcessMark = { ...run, pidNamespace: 'pid:[2]', startedAt: '50' };
const me: Holder = { container: 'mine', run };
const lease = (holder: Holder | undefined, more: Partial<NodeLease> = {}): NodeLease => ({
  term: 3,
  renewals: 7,
  ...(holder !== undefined && { holder }),
  ...more,
});

const takes = (seen: NodeLease, nowMs = 0, isSeen = true): boolean =>
  mayTake({ lease: seen, sinceMs: 0 }, me, isSeen, nowMs);

describe('the lease of a node', () => {
  it('is left to whoever renews it', () => {
    const other = lease({ container: 'other', run: elsewhere });
    const first = sight(undefined, other, 1_000);
    const renewed = sight(first, { ...other, renewals: 8 }, 9_000);
    expect(renewed).toEqual({ lease: { ...other, renewals: 8 }, sinceMs: 9_000 });
    expect(mayTake(renewed, me, true, 9_000 + NODE_LEASE_MS)).toBe(false);
  });

  it('is taken once it has been seen unrenewed for its whole length', () => {
    const other = lease({ container: 'other', run: elsewhere });
    const seen = sight(sight(undefined, other, 1_000), other, 9_000);
    expect(mayTake(seen, me, true, 1_001 + NODE_LEASE_MS)).toBe(true);
  });

  it('is taken at once where it was given back, or given to this container', () => {
    expect(takes(lease({ container: 'other', run: elsewhere }, { released: true }))).toBe(true);
    expect(takes(lease({ container: 'mine' }))).toBe(true);
    expect(takes(lease({ container: 'other' }))).toBe(false);
  });

  it('is taken at once from a process that is known to be dead', () => {
    expect(takes(lease({ run: { ...run, pid: 9 } }), 0, false)).toBe(true);
    expect(takes(lease({ run: { ...run, pid: 9 } }), 0, true)).toBe(false);
    // The same container, another run of it: a container has one at a time.
    expect(takes(lease({ container: 'mine', run: elsewhere }))).toBe(true);
    // A second process in the very container is alive.
    expect(takes(lease({ container: 'mine', run: { ...run, pid: 9 } }))).toBe(false);
  });

  it('that nobody can read, or of a process that cannot be seen, is waited for', () => {
    expect(takes(lease(undefined))).toBe(false);
    expect(takes(lease(undefined), NODE_LEASE_MS + 1)).toBe(true);
    expect(takes(lease({ run: { ...elsewhere, boot: 'another' } }))).toBe(false);
  });

  it('is waited for by a process that the kernel tells nothing about', () => {
    const seen = { lease: lease({ container: 'mine', run }), sinceMs: 0 };
    expect(mayTake(seen, { container: 'mine' }, false, 0)).toBe(false);
  });
});
