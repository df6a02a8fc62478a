/** The containers that live in another one's namespaces: they hold dead ones once it is gone, so they are made anew with it. */

import { EngineError } from '../../engine.ts';
import type { InspectedContainer } from '../inspected.ts';
import { type Part, readPart } from '../marks.ts';
import { SERVICE_LABEL } from '../memo.ts';
import { COMPOSE_SERVICE, dependencies, inOrder } from '../parts.ts';
import { dependentsOn, obstacleIn, staysAsItIs } from '../spec/obstacles.ts';

const PROJECT = 'com.docker.compose.project';

/**
 * All that live in a container's namespaces, and in theirs, in the order in which they start: nobody before his landlord, nor
 * before what Compose's `depends_on` names. Throws where one of them cannot be made anew.
 *
 * @param all every container of this dockerd
 * @param objection why one of them must not be touched
 */
export function tenantsOf(
  lead: InspectedContainer,
  all: readonly InspectedContainer[],
  objection: (container: InspectedContainer) => string | undefined,
): readonly InspectedContainer[] {
  const found: InspectedContainer[] = [];
  for (let homes = [lead]; homes.length > 0; ) {
    const near = homes.flatMap((home) => dependentsOn(home, all));
    homes = [...new Set(near)].filter((one) => one.Id !== lead.Id && !found.includes(one));
    found.push(...homes);
  }
  const parts = all.map(readPart);
  for (const tenant of found) refuse(tenant, lead, parts, objection);
  return inOrder(found, needs);
}

function refuse(
  tenant: InspectedContainer,
  lead: InspectedContainer,
  all: readonly Part[],
  objection: (container: InspectedContainer) => string | undefined,
): void {
  const { base: name, suffix } = readPart(tenant);
  const isMoving = suffix !== '' || all.some(({ memo }) => memo?.replaces === tenant.Id);
  if (isMoving)
    throw new EngineError('unavailable', `${name}, which lives in its namespaces, is being updated`);
  const service = lead.Config.Labels?.[SERVICE_LABEL];
  const obstacle = staysAsItIs(tenant) ? undefined : obstacleIn(tenant);
  const why =
    obstacle ??
    objection(tenant) ??
    (tenant.Config.Labels?.[SERVICE_LABEL] === service ? 'bears the same label' : undefined);
  if (why !== undefined)
    throw new EngineError('not-carried', `${name}, which lives in its namespaces, ${why}`);
}

/** Is the other one to be there first? */
export function needs(one: InspectedContainer, other: InspectedContainer): boolean {
  return dependentsOn(other, [one]).length > 0 || needsByCompose(one, other);
}

/** @param how `restart`: only where it is to be restarted with the other one */
export function needsByCompose(
  { Config: { Labels: mine } }: InspectedContainer,
  { Config }: InspectedContainer,
  how: 'anyhow' | 'restart' = 'anyhow',
): boolean {
  const { [COMPOSE_SERVICE]: name, [PROJECT]: project } = Config.Labels ?? {};
  if (name === undefined || mine?.[PROJECT] !== project) return false;
  return dependencies(mine ?? {}, how).includes(name);
}
