/**
 * The door: bytes become values here or they become a list of problems, and nowhere else.
 */

import type { z } from 'zod';
import type { Parsed } from '../kernel/parsed.ts';
import { shortLine } from '../kernel/printable.ts';
import { wordProblem } from './problems.ts';

/** More than any message of ours needs; a body beyond it is not even read. */
export const BODY_BYTES_MAX = 65_536;
const NESTING_MAX = 16;
const PROBLEMS_MAX = 20;
/** A problem may quote what it is about, and that may be as long as the message: nobody stores that twice. */
const PROBLEM_LENGTH_MAX = 300;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true });

/** Reads JSON of a known shape. Never throws, whatever the bytes. */
export function decode<Value>(
  body: Uint8Array,
  schema: z.ZodType<Value>,
  bytesMax = BODY_BYTES_MAX,
): Parsed<Value> {
  const read = readJson(body, bytesMax);
  if (!read.ok) return read;
  const parsed = schema.safeParse(read.value, { error: wordProblem });
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, problems: parsed.error.issues.slice(0, PROBLEMS_MAX).map(describeIssue) };
}

export function encode(value: unknown): Uint8Array {
  return ENCODER.encode(JSON.stringify(value));
}

function readJson(body: Uint8Array, bytesMax: number): Parsed<unknown> {
  if (body.length === 0) return refusal('the message is empty: publish a JSON object');
  if (body.length > bytesMax) {
    return refusal(`the message has ${body.length} bytes: at most ${bytesMax} are read`);
  }
  let text: string;
  try {
    text = DECODER.decode(body);
  } catch {
    return refusal('the message is not UTF-8: publish it as UTF-8 JSON');
  }
  if (nesting(text) > NESTING_MAX) return refusal(`the message is nested more than ${NESTING_MAX} deep`);
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (cause) {
    return refusal(`the message is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function refusal(problem: string): { readonly ok: false; readonly problems: readonly string[] } {
  return { ok: false, problems: [shortLine(problem, PROBLEM_LENGTH_MAX)] };
}

/** How deep brackets nest, strings left out: counted before parsing, so that no depth can exhaust the stack. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') deepest = Math.max(deepest, (depth += 1));
    else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const field = issue.path.map((key, depth) =>
    typeof key === 'number' ? `[${key}]` : depth === 0 ? String(key) : `.${String(key)}`,
  );
  const namesItself = issue.code === 'unrecognized_keys' && field.length === 0;
  const problem = `${field.length === 0 ? 'the message' : field.join('')}: ${issue.message}`;
  return shortLine(namesItself ? issue.message : problem, PROBLEM_LENGTH_MAX);
}
