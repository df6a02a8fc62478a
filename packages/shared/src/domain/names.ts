/**
 * The names of the fleet. Each is one token of a subject, so none may hold a dot, a space or a wildcard.
 */

export type Region = string;
export type NodeId = string;
export type ServiceName = string;

/** What a region, a node or a service may be called: 1 to 63 letters, digits, `-` or `_`, not starting with a sign. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** What a node may be labelled: a word, or a word and its value: `canary`, `rack=7`. */
export const LABEL_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_./-]{0,62}(?:=[A-Za-z0-9_./-]{1,63})?$/;

/** What every object has by itself (`constructor`) is no name, since names are keys. */
export function isInherited(text: string): boolean {
  return text in Object.prototype;
}

export function isName(text: string): boolean {
  return NAME_PATTERN.test(text) && !isInherited(text);
}

/** What the leading coordinator is asked of a service, as `swell.ask.<question>.<service>`. */
export const QUESTIONS = ['rollout', 'history', 'explain', 'replay'] as const;
export type Question = (typeof QUESTIONS)[number];

/** A node is asked as `swell.ask.<region>.<node>`: a region of a question's name would answer for the coordinator. */
export function isQuestion(text: string): text is Question {
  return (QUESTIONS as readonly string[]).includes(text);
}
