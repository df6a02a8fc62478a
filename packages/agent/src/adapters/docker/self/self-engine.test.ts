import type { ServiceName } from '@swell/shared/domain/names.ts';
import Docker from 'dockerode';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SwapOrder } from '../../../core/container.ts';
import { MemoryEngine, MemoryNode } from '../../memory-engine.ts';
import { Dockerd } from '../dockerd.ts';
import type { Part } from '../marks.ts';
import type { Memo } from '../memo.ts';
import type { Found } from '../swap/members.ts';
import { SelfEngine } from './self-engine.ts';

const memo: Memo = {
  attempt: '7.update.1',
  replaces: 'old',
  policy: { Name: 'always' },
  reference: 'agent:latest',
  oldState: 'running',
};
const old: Part = {
  id: 'old',
  base: 'agent',
  suffix: '',
  up: true,
  wanted: true,
  started: true,
  policy: { Name: 'always' },
  imageId: 'v1',
  networks: [],
};
const fresh: Part = { ...old, id: 'new', suffix: '.swell-next', imageId: 'v2', memo };
const digest = `sha256:${'a'.repeat(64)}`;

const found = new Map<ServiceName, Found>();
/** A memory engine that shows marks beside its containers. */
class Marked extends MemoryEngine {
  async look(service: ServiceName): Promise<Found> {
    return found.get(service) ?? { kind: 'absent' };
  }

  async perform(): Promise<void> {
    expect.unreachable('nobody has proven anything');
  }
}

function swapOf(base: string): Found {
  return { kind: 'swap', members: [[{ kind: 'swap', base, old, fresh }]], settled: [] };
}

let busy: readonly ServiceName[];
let isOnBus: boolean;
let nowMs: number;

beforeEach(() => {
  found.clear();
  busy = [];
  isOnBus = true;
  nowMs = 0;
});

function engine(): SelfEngine {
  const node = new MemoryNode({ web: { up: true, digest }, agent: { up: true, digest } });
  return new SelfEngine({
    engine: new Marked(node),
    // Nothing is asked of it here.
    dockerd: new Dockerd(new Docker({ host: '192.0.2.1' })),
    own: { id: 'old', service: 'agent' },
    stateDir: '/var/lib/swell',
    acting: {
      assertHeld: async () => {},
      handOver: async () => expect.unreachable('nobody has proven anything'),
      standbyWord: async () => ({ ready: false, why: 'the bus is out of reach' }),
      forgetStandbyWord: async () => {},
      mayStop: () => true,
      isOnBus: () => isOnBus,
      inTheMiddle: () => busy,
    },
    monotonicMs: () => nowMs,
  });
}

const order = (service: ServiceName): SwapOrder => ({
  service,
  attempt: '8.update.1',
  target: { kind: 'release', image: { repository: 'registry.example/x', digest } },
  lastGood: 'running',
});

describe('an engine whose agent is a service of its own', () => {
  it('begins with itself only when nothing else is under way, by what Docker shows and by what it knows', async () => {
    found.set('web', swapOf('web'));
    const why = { code: 'unavailable', message: 'the agent comes last: web is being updated' };
    await expect(engine().prepareSwap(order('agent'))).rejects.toMatchObject(why);
    found.clear();
    busy = ['web', 'agent'];
    await expect(engine().prepareSwap(order('agent'))).rejects.toMatchObject(why);
  });

  it('takes no release of itself that cannot be undone: the old one has to be able to go on', async () => {
    await expect(engine().prepareSwap({ ...order('agent'), irreversible: true })).rejects.toMatchObject({
      code: 'not-carried',
    });
  });

  it('begins with nothing else while its own swap is under way', async () => {
    found.set('agent', swapOf('agent'));
    await expect(engine().prepareSwap(order('web'))).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the agent itself is being updated',
    });
  });

  it('waits for a new agent that could not take over yet, and has failed it after two minutes', async () => {
    found.set('agent', swapOf('agent'));
    const own = engine();
    const waits = { code: 'unavailable', message: expect.stringContaining('the bus is out of reach') };
    await expect(own.cutOver('agent')).rejects.toMatchObject(waits);
    nowMs = 120_000;
    await expect(own.cutOver('agent')).rejects.toMatchObject(waits);
    nowMs = 120_001;
    await expect(own.cutOver('agent')).rejects.toMatchObject({ code: 'start-failed' });
  });

  it('counts no time against a new agent while the bus is away from the old one as well', async () => {
    found.set('agent', swapOf('agent'));
    const own = engine();
    isOnBus = false;
    for (nowMs = 0; nowMs < 600_000; nowMs += 60_000)
      await expect(own.cutOver('agent')).rejects.toMatchObject({ code: 'unavailable' });
  });
});
