/** What the promises' judges see of a world. */

import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { Ailments } from '../ailments.ts';
import type { FaultRates } from '../bus/rates.ts';
import type { ModelServer } from '../bus-model.ts';
import type { Running } from '../fleet-models.ts';
import type { Bench } from '../judge/bench.ts';
import type { NodeModel } from '../node-model.ts';
import type { VirtualTime } from '../time.ts';
import type { Shown } from '../watched-tag.ts';
import { Calm } from './calm.ts';
import { Policies } from './policies.ts';
import type { Precedences } from './precedence.ts';
import { Promises } from './promises.ts';
import { KNOWN_AFTER_MS } from './scene.ts';

/** What keeps a word from being stored and answered; and what keeps it from being heard. */
const WRITING: readonly (keyof FaultRates)[] = ['publishLost', 'answerLost', 'delayed'];
const HEARING: readonly (keyof FaultRates)[] = ['lost', 'duplicated', 'staleRead'];
/** An image like that is well nowhere, at no time. */
const HOPELESS: ReadonlySet<string | undefined> = new Set(['sick', 'fails-to-start', 'probe-hangs']);

interface Node {
  readonly model: NodeModel;
  readonly running: Running | undefined;
  readonly isGone: boolean;
}

/** A simulated world. */
export interface Watched {
  readonly bench: Bench;
  readonly time: VirtualTime;
  readonly server: ModelServer;
  readonly ailments: Ailments;
  readonly coordinators: () => readonly { readonly running: Running | undefined }[];
  /** Those that have the service. */
  readonly nodes: () => readonly Node[];
  readonly service: ServiceName;
  readonly prometheusSpokeAtMs: () => number;
  readonly precedences: Precedences;
  readonly shown: readonly Shown[];
  readonly registryFineSinceMs: () => number;
}

export function watch({
  bench,
  time,
  server,
  ailments,
  coordinators,
  nodes,
  service,
  prometheusSpokeAtMs,
  precedences,
  shown,
  registryFineSinceMs,
}: Watched): Promises {
  /** What is another object is another connection. */
  const numbers = new WeakMap<object, number>();
  let count = 0;
  const numberOf = (one: object): number => {
    const known = numbers.get(one) ?? (count += 1);
    numbers.set(one, known);
    return known;
  };
  const names = new Map<NodeId, Node>();
  const byName = (name: NodeId): Node | undefined => {
    for (const node of nodes().slice(names.size)) names.set(node.model.name, node);
    return names.get(name);
  };
  const connectionOf = (running: Running | undefined): string | undefined => {
    const session = running?.line.session;
    if (running === undefined || session === undefined) return undefined;
    const isDisturbed = running.process.isPaused || running.line.isBlocked;
    return isDisturbed ? undefined : `${running.process.name} ${numberOf(session)}`;
  };
  const bus = (): string | undefined => {
    const isWhole =
      server.state === 'up' && server.isLed && WRITING.every((rate) => server.rates[rate] === 0);
    const ways = coordinators().map(({ running }) => connectionOf(running));
    return isWhole && !ways.includes(undefined) ? `${server.skewMs} ${ways.join()}` : undefined;
  };
  const shows = (node: Node | undefined): string | undefined => {
    const isThere = node?.isGone === false && node.model.containers.container(service) !== undefined;
    return isThere ? connectionOf(node.running) : undefined;
  };
  let hasJumped = false;
  const calm = new Calm({
    bus: () => {
      hasJumped ||= server.skewMs !== 0;
      return bus();
    },
    isHeard: () => HEARING.every((rate) => server.rates[rate] === 0),
    nodes: () => nodes().map(({ model }) => model.name),
    node: (name) => shows(byName(name)),
    runs: (name) => byName(name)?.running !== undefined,
  });
  const nodesOf = (region: Region): readonly NodeId[] =>
    nodes()
      .filter(({ model }) => model.region === region)
      .map(({ model }) => model.name);
  return new Promises({
    bench,
    service,
    precedences,
    shown,
    registryFineSinceMs,
    policies: new Policies(),
    calm,
    nodesOf,
    known: (region) => knownTo(calm, nodesOf(region), bench.nowMs),
    labelsOf: (node) => byName(node)?.model.labels ?? [],
    prometheusSpokeAtMs,
    isClockTrue: () => !hasJumped && server.skewMs === 0,
    runningOn: (digest) =>
      nodes()
        .filter(({ model }) => model.running(service) === digest)
        .map(({ model }) => model.name),
    isHopeless: (digest, node) => HOPELESS.has(ailments.of(digest, node)),
    after: (ms, act) => {
      time.after(ms, act);
    },
  });
}

function knownTo(calm: Calm, nodes: readonly NodeId[], nowMs: number): readonly NodeId[] | undefined {
  if (!calm.isBusCalm(KNOWN_AFTER_MS, nowMs)) return undefined;
  const there = nodes.filter((node) => calm.isNodeCalm(node, KNOWN_AFTER_MS, nowMs));
  const away = nodes.filter((node) => calm.isAgentDead(node, KNOWN_AFTER_MS, nowMs));
  return there.length + away.length === nodes.length ? there : undefined;
}
