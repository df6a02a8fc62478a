/**
 * Which regions a leader has, for a whole term: what is written of them is read when the term begins, and where one changes
 * hands the term ends, so that whoever leads it next has read all that stands there.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import { type Assignments, isOf, type Scope } from '@swell/shared/domain/scope.ts';
import { type Assignment, readAssignments } from '@swell/shared/protocol/scopes.ts';

export class Territory {
  readonly scope: Scope | undefined;
  #assigned: Assignments = new Map();

  constructor(scope: Scope | undefined) {
    this.scope = scope;
  }

  readonly isOurs = (region: Region): boolean => isOf(this.#assigned, this.scope, region);

  /** A scope without a region has nothing to lead; of the global one's nobody can tell. */
  get isEmpty(): boolean {
    return this.scope !== undefined && ![...this.#assigned.keys()].some(this.isOurs);
  }

  /** All that is written when the term begins. */
  read(
    messages: readonly StoredMessage[],
    onUnreadable: (message: StoredMessage, problems: readonly string[]) => void,
  ): void {
    this.#assigned = readAssignments(messages, onUnreadable);
  }

  /** Why the term must end, if this is not what it began with. */
  change({ region, scope }: Assignment): string | undefined {
    if ((scope === this.scope) === this.isOurs(region)) return undefined;
    const whose = scope === undefined ? 'no scope has' : `scope ${scope} has`;
    return `${whose} region ${region} now`;
  }
}
