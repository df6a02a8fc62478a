/**
 * Containers that Compose restarts once what they depend on was made anew (`depends_on: {web: {restart: true}}`). That one is
 * due leaves no mark: it has run since before the new container was started, and does not any more afterwards.
 */

import { type InspectedContainer, isUp } from '../inspected.ts';
import { SERVICE_LABEL } from '../memo.ts';
import { inOrder } from '../parts.ts';
import { needs, needsByCompose } from './tenants.ts';

/**
 * In the order in which they are to be restarted. One that is a service of its own is not among them: it goes out of its
 * rotation by its own slots only.
 *
 * @param fresh the new containers of the service
 * @param all every container of this dockerd
 */
export function dueDependents(
  fresh: readonly InspectedContainer[],
  all: readonly InspectedContainer[],
): readonly InspectedContainer[] {
  const due = all.filter(
    (one) =>
      isUp(one.State) &&
      one.Config.Labels?.[SERVICE_LABEL] === undefined &&
      fresh.some((home) => needsByCompose(one, home, 'restart') && startedAtMs(one) < startedAtMs(home)),
  );
  return inOrder(due, needs);
}

function startedAtMs({ State: { StartedAt = '' } }: InspectedContainer): number {
  return Date.parse(StartedAt);
}
