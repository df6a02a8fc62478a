/** Networks with address spaces of a test's own, for containers that ask for addresses. */

import { randomInt } from 'node:crypto';
import type Docker from 'dockerode';

const TRIES = 50;

/**
 * Makes networks in spaces that nobody has here: drawn by lot, and drawn again where another test, or a run before that was
 * cut off, has one of them.
 *
 * @param make makes a network with a number of `10.<base>.<number>.0/24` or `fd00:<base>:<number>::/64` each
 */
export async function inOwnSubnets<Name extends string>(
  docker: Docker,
  names: readonly Name[],
  make: (name: Name, base: number, number: number) => Docker.NetworkCreateOptions,
): Promise<{
  readonly base: number;
  readonly numbers: ReadonlyMap<Name, number>;
  readonly ids: ReadonlyMap<Name, string>;
}> {
  for (let tries = 1; ; tries += 1) {
    const base = randomInt(30, 230);
    const first = randomInt(0, 250 - names.length);
    const numbers = new Map(names.map((name, index) => [name, first + index]));
    const ids = new Map<Name, string>();
    try {
      for (const name of names)
        ids.set(name, (await docker.createNetwork(make(name, base, numbers.get(name) ?? 0))).id);
      return { base, numbers, ids };
    } catch (error) {
      for (const id of ids.values()) await docker.getNetwork(id).remove();
      if (tries === TRIES || !/overlap/i.test(String(error))) throw error;
    }
  }
}
