/** What every door owes, whatever comes to it. Each of these throws what is wrong. */

import { isDeepStrictEqual } from 'node:util';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';

/** Far more than anything of 64 KB takes here; a pattern that backtracks takes minutes. */
const MOMENT_MS = 250;
const TRIES = 4;
const PROBLEMS_MAX = 20;
const PROBLEM_LENGTH_MAX = 300;

/** An answer in bounded time. A machine that was busy elsewhere is asked again. */
export function promptly<Answer>(ask: () => Answer): Answer {
  for (let tries = 1; ; tries += 1) {
    const startedMs = performance.now();
    const answer = ask();
    const tookMs = performance.now() - startedMs;
    if (tookMs < MOMENT_MS) return answer;
    if (tries === TRIES) throw new Error(`it took ${Math.round(tookMs)} ms`);
  }
}

/** What every object inherits, as it was when the run began. */
const inherited = [Object, Array, String, Number, Boolean, Function, Map].map(({ prototype }) => ({
  prototype: prototype as object,
  was: Object.getOwnPropertyDescriptors(prototype),
}));

export function leavesPrototypesAlone(): void {
  for (const { prototype, was } of inherited) {
    if (!isDeepStrictEqual(Reflect.ownKeys(prototype), Reflect.ownKeys(was)))
      throw new Error(
        `a prototype was given ${Reflect.ownKeys(prototype)
          .filter((key) => !Object.hasOwn(was, key))
          .join()}`,
      );
  }
}

/** Nothing in it has another prototype than what JSON gives: no message chooses what its value inherits. */
export function isPlain(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (![Object.prototype, Array.prototype, Map.prototype, null].includes(prototype as object | null))
    throw new Error('a value inherits from what the message said');
  for (const part of Object.values(value)) isPlain(part);
}

/** A text that one line of a terminal or a log can show: no line ends, no control signs, no halves of letters. */
export function isPrintable(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(text);
}

/** A refusal that a person can act on: it says that there is no JSON, or which field is wrong. */
export function isRefusal(parsed: Parsed<unknown> & { readonly ok: false }, fields: readonly string[]): void {
  const { problems } = parsed;
  if (problems.length === 0) throw new Error('a refusal without a reason');
  if (problems.length > PROBLEMS_MAX) throw new Error(`${problems.length} reasons at once`);
  for (const problem of problems) {
    if (problem.length > PROBLEM_LENGTH_MAX) throw new Error(`a reason of ${problem.length} letters`);
    if (!isPrintable(problem)) throw new Error(`a reason that no line can show: ${JSON.stringify(problem)}`);
    const names = fields.some(
      (field) => problem.startsWith(field) && /^[[.:]/.test(problem.slice(field.length)),
    );
    if (!names && !/^the message\b|^there is no field "/.test(problem))
      throw new Error(`a reason that names no field: ${JSON.stringify(problem)}`);
  }
}

export function expectEqual(found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(withoutSigns(found), withoutSigns(expected))) return;
  throw new Error(`it is ${JSON.stringify(found)}, and ought to be ${JSON.stringify(expected)}`);
}

/** The wire knows no -0. */
function withoutSigns(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(withoutSigns);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutSigns(part)]));
}
