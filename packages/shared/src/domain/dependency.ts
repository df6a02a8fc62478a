/** Services that depend on services. */

import type { ServiceName } from './names.ts';

/** What a service's rollouts wait for. */
export interface Dependency {
  readonly service: ServiceName;
  /** `fleet`: until it is through everywhere. `region`: in each region until it is through there. */
  readonly per: 'fleet' | 'region';
}

/** Whose dependencies are which; missing: nothing is known of that service. */
export type DependenciesOf = (service: ServiceName) => readonly Dependency[] | undefined;

/**
 * All that a service depends on, over however many others: each once, and as a whole where any way to it asks for that. It
 * may turn up in that itself: then it goes round.
 */
export function allDependencies(own: readonly Dependency[], of: DependenciesOf): readonly Dependency[] {
  const found = new Map<ServiceName, Dependency>();
  const open = [...own];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { service, per } = next;
    const known = found.get(service);
    if (known !== undefined && (known.per === 'fleet' || per === 'region')) continue;
    found.set(service, next);
    for (const further of of(service) ?? [])
      open.push(per === 'fleet' ? { ...further, per: 'fleet' } : further);
  }
  return [...found.values()].sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** What is wrong with a policy of a service: services that wait for each other would do so for ever. */
export function cycleProblems(
  service: ServiceName,
  own: readonly Dependency[],
  of: DependenciesOf,
): readonly string[] {
  const cycle = cycleOf(service, own, of);
  if (cycle === undefined) return [];
  return [
    `dependsOn: ${cycle.join(' -> ')} is a cycle: take one of them out of the policy of the one before`,
  ];
}

/** The way from a service back to itself, with it at both ends; undefined: there is none. */
export function cycleOf(
  service: ServiceName,
  own: readonly Dependency[],
  of: DependenciesOf,
): readonly ServiceName[] | undefined {
  const seen = new Set<ServiceName>();
  let ways: (readonly ServiceName[])[] = own.map((one) => [service, one.service]);
  while (ways.length > 0) {
    const further: (readonly ServiceName[])[] = [];
    for (const way of ways) {
      const last = way.at(-1) ?? service;
      if (last === service) return way;
      if (seen.has(last)) continue;
      seen.add(last);
      for (const one of of(last) ?? []) further.push([...way, one.service]);
    }
    ways = further;
  }
  return undefined;
}
