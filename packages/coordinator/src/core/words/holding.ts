/** Nodes that an operator holds by his word: kept in the record, whatever is released, until he lifts it. */

import type { HoldRule, NodeChoice } from '@swell/shared/domain/hold.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { describeNodes } from '../admission/holds.ts';
import { type ServiceState, withRecord } from '../state.ts';

/** Every wave carries all of them. */
const HELD_MAX = 16;

/** The same nodes are held once: a newer word about them gives another reason. */
export function hold(state: ServiceState, rule: HoldRule): ServiceState | string {
  const others = state.record.held.filter((one) => !isSameChoice(one, rule));
  if (others.length >= HELD_MAX)
    return `${HELD_MAX} holds are in force: lift one, or label the nodes and hold their label`;
  return withRecord(state, { held: [...others, rule] });
}

export function unhold(state: ServiceState, nodes: NodeChoice): ServiceState | string {
  const { held } = state.record;
  const rest = held.flatMap((one) => without(one, nodes));
  if (!sameValue(rest, held)) return withRecord(state, { held: rest });
  const none = `nobody has said to hold ${describeNodes(nodes)}`;
  return held.length === 0
    ? `${none}, nor anybody else`
    : `${none}: lift with the same fields what is held, ${held.map(describeNodes).join('; ')}`;
}

/** What is said of a hold that was taken: a name that is none would hold nobody, in silence. */
export function describeHeld({ census }: ServiceState, { nodes = [] }: HoldRule): string {
  const unknown = nodes.filter((node) => ![...census.values()].some((region) => region.has(node)));
  return unknown.length === 0 ? 'done' : `done, and nobody has heard of ${unknown.join(', ')} yet`;
}

/** Of nodes that are held together some may be lifted. */
function without(rule: HoldRule, lifted: NodeChoice): readonly HoldRule[] {
  if (isSameChoice(rule, lifted)) return [];
  if (rule.nodes === undefined || !isSameChoice({ ...rule, nodes: [] }, { ...lifted, nodes: [] }))
    return [rule];
  const nodes = rule.nodes.filter((node) => lifted.nodes?.includes(node) !== true);
  return nodes.length === 0 ? [] : [{ ...rule, nodes }];
}

function isSameChoice(one: NodeChoice, other: NodeChoice): boolean {
  return sameValue(choiceOf(one), choiceOf(other));
}

function choiceOf({ nodes = [], label, version, region }: NodeChoice) {
  return { nodes: nodes.toSorted(), label, version, region };
}
