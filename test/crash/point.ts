/**
 * A point at which an agent may die: an effect, by its name and which of that name it is, and on which side of it. A name
 * says what is done and not when, so that it means the same in every run, however often a timer has fired before.
 */

/**
 * - `before`: nothing of the effect has left the process.
 * - `during`: dockerd has the whole request and nobody has heard an answer; a file is written and not yet in its place.
 * - `after`: it is done, and the agent has not yet acted on it.
 */
export const MOMENTS = ['before', 'during', 'after'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Point {
  readonly effect: string;
  /** From 1. */
  readonly occurrence: number;
  readonly moment: Moment;
}

/** `before claim slot #1` */
export function formatPoint({ effect, occurrence, moment }: Point): string {
  return `${moment} ${effect} #${occurrence}`;
}

export function parsePoint(text: string): Point | undefined {
  const [, moment, effect, occurrence] = /^(before|during|after) (.+) #([1-9]\d*)$/.exec(text) ?? [];
  if (moment === undefined || effect === undefined) return undefined;
  return { effect, occurrence: Number(occurrence), moment: moment as Moment };
}

/**
 * The points that every one of several undisturbed runs has come by, in the order of the first. What only one of them
 * had depends on a timer, and would not be there when an agent is to die at it.
 */
export function commonPoints(runs: readonly (readonly Point[])[]): readonly Point[] {
  const [first, ...others] = runs.map((run) => new Map(run.map((point) => [formatPoint(point), point])));
  return [...(first ?? [])]
    .filter(([name]) => others.every((run) => run.has(name)))
    .map(([, point]) => point);
}

/**
 * How often it is done depends on the time that everything else takes: on a slow day there are more of it, or fewer. Its
 * later occurrences may be missing in the very life that was to end there.
 */
export function isTimed({ effect }: Point): boolean {
  return /^(?:read |renew |show |engine: (?:probe|observe|clean images))/.test(effect);
}
