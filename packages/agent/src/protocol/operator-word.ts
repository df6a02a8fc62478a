/**
 * What an operator says on his own node: in the policy file, of all services and of each by its name, and by labels on a
 * container. All say the same things, and all of it holds.
 */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import { parseWindow, type TimeWindow } from '@swell/shared/domain/window.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { compact, name } from '@swell/shared/protocol/fields.ts';
import { z } from 'zod';

const window = z.string().transform((text, context): TimeWindow => {
  const read = parseWindow(text);
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read });
  return z.NEVER;
});

const word = z
  .strictObject({
    optOut: z.boolean().optional().describe('The service is not updated at all'),
    freeze: z.boolean().optional().describe('Nothing is changed, for now'),
    pin: z
      .union([z.literal(true), z.string().min(1)], {
        error: 'must be true, or the version or digest to stay on or go to',
      })
      .optional()
      .describe('true: stays on what it runs; a version or a digest: follows that release alone'),
    repositories: z
      .array(z.string().min(1))
      .optional()
      .describe('Images come from these alone; "*" at the end stands for anything'),
    minimumVersion: z.string().min(1).optional().describe('Nothing older than this'),
    windows: z
      .array(window)
      .min(1, 'must name at least one window: leave it out where any time will do')
      .optional()
      .describe('Containers are stopped and started in these alone: "mon-fri 22:00-05:00 Europe/Vienna"'),
  })
  .transform((value): OperatorWord => compact(value) as OperatorWord);

/** The policy file on a node. */
export const operatorPolicySchema = z.strictObject({
  all: word.optional().describe('Holds for every service on the node'),
  services: z.record(name, word).optional().describe('Holds for one, by its name'),
});

/** What a policy file says of one service. */
export function readOperatorPolicy(body: Uint8Array, service: ServiceName): Parsed<readonly OperatorWord[]> {
  const read = decode(body, operatorPolicySchema);
  if (!read.ok) return read;
  const { all, services = {} } = read.value;
  return { ok: true, value: [all, services[service]].filter((one) => one !== undefined) };
}

const LABELS: readonly (readonly [label: string, field: string, read: (text: string) => unknown])[] = [
  ['swell.opt-out', 'optOut', asFlag],
  ['swell.freeze', 'freeze', asFlag],
  ['swell.pin', 'pin', (text) => (text === 'true' ? true : text)],
  ['swell.repositories', 'repositories', (text) => asList(text, ',')],
  ['swell.minimum-version', 'minimumVersion', (text) => text],
  ['swell.windows', 'windows', (text) => asList(text, ';')],
];

/** The same by labels; undefined where none of them speaks of it. */
export function readOperatorLabels(
  labels: Readonly<Record<string, string>>,
): Parsed<readonly OperatorWord[]> | undefined {
  const said = LABELS.flatMap(([label, field, read]) => {
    const text = labels[label];
    return text === undefined ? [] : [[field, read(text)] as const];
  });
  if (said.length === 0) return undefined;
  const parsed = decode(encode(Object.fromEntries(said)), word);
  if (parsed.ok) return { ok: true, value: [parsed.value] };
  return { ok: false, problems: parsed.problems.map((problem) => `label ${problem}`) };
}

function asFlag(text: string): unknown {
  return text === 'true' ? true : text === 'false' ? false : text;
}

function asList(text: string, separator: string): readonly string[] {
  return text
    .split(separator)
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
