/**
 * What people publish with nothing but the `nats` CLI: releases (words of control are in `control.ts`). Unknown fields are refused, since
 * a misspelt one would otherwise be ignored in silence; what programs say to each other is read tolerantly instead.
 */

import { z } from 'zod';
import { parseImageReference } from '../domain/image.ts';
import type { ReleaseIntent } from '../domain/intent.ts';
import type { Publishing } from '../domain/publishing.ts';
import { encode } from './codec.ts';
import { controlSchema } from './control.ts';
import { name, PART, part, versionOrRange } from './fields.ts';
import { policySchema } from './policy.ts';

const IMAGE_MISSING = 'is missing or not text: name an image such as "registry.example/web:v2"';

const image = z
  .string({ error: IMAGE_MISSING })
  .max(1_000)
  .transform((text, context) => {
    const reference = parseImageReference(text);
    if (reference === undefined) {
      context.addIssue({
        code: 'custom',
        message: `"${text.slice(0, 200)}" is no image reference: write registry/name:tag`,
      });
      return z.NEVER;
    }
    return reference;
  });

/** As many as a person can look at together. */
const PARTS_MAX = 16;

const images = z
  .record(part, image, {
    error: ({ code }) =>
      code === 'invalid_key'
        ? PART
        : 'must name an image for each part: {"web":"registry.example/web:v2","worker":"…"}',
  })
  .refine((parts) => Object.keys(parts).length >= 2, {
    error: 'must name at least two parts: say "image" where there is one',
  })
  .refine((parts) => Object.keys(parts).length <= PARTS_MAX, {
    error: `must not name more than ${PARTS_MAX} parts`,
  });

const time = z.iso
  .datetime({ offset: true, error: 'must be a time with its zone, such as "2026-12-01T06:00:00Z"' })
  .transform((text) => Date.parse(text));

/** Services of one train. */
const TRAIN_MAX = 500;

export const releaseSchema = z
  .strictObject({
    image: image.optional().describe('What to roll out: a tag or a digest'),
    images: images
      .optional()
      .describe('In its place, for several parts of a stack as one unit, an image for each of them'),
    version: z.string().min(1).max(128).optional().describe('What people call it; the tag'),
    policy: policySchema
      .refine(({ watch }) => watch === undefined, {
        path: ['watch'],
        error: 'watches a tag for the service, not for one release: put it into the bucket swell_policies',
      })
      .optional()
      .describe('Overrides the policy of the service for this rollout'),
    acceptHalted: z.boolean().optional().describe('Take this digest although it was halted before'),
    from: z
      .array(versionOrRange)
      .min(1, 'must name at least one version: leave it out where it may start from any')
      .max(32)
      .optional()
      .describe('Versions and ranges from which it may start: ["1.4.2", ">=1.5 <2"]; any'),
    irreversible: z
      .boolean()
      .optional()
      .describe('What it does to its data cannot be undone: no node goes back from it'),
    allowDowngrade: z
      .boolean()
      .optional()
      .describe(
        'Take this version although it is older than what the fleet has settled on, or what is under way',
      ),
    urgent: z.boolean().optional().describe("Do not wait for the end of the policy's cool-down"),
    notBefore: time.optional().describe('Do not begin before: "2026-12-01T06:00:00Z"'),
    expires: time.optional().describe('From then on nobody starts it: "2026-12-08T00:00:00Z"'),
    publication: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe(
        'What its publisher calls this message: what the coordinator publishes itself it knows again by it',
      ),
    train: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('The release train that it belongs to: in it services follow what they depend on'),
    trainOf: z
      .array(name)
      .min(1, 'must name at least one service: leave it out where releases are published in order')
      .max(TRAIN_MAX)
      .optional()
      .describe('All services of the train: none is waited for by chance of who was published first'),
  })
  .refine(({ train, trainOf }) => trainOf === undefined || train !== undefined, {
    path: ['trainOf'],
    error: 'needs the name of its train: say "train" as well',
  })
  .refine((release) => release.image !== undefined || release.images !== undefined, {
    path: ['image'],
    error: IMAGE_MISSING,
  })
  .refine((release) => release.image === undefined || release.images === undefined, {
    path: ['image'],
    error: 'stands beside "images": say one of the two',
  })
  .meta({ oneOf: [{ required: ['image'] }, { required: ['images'] }] })
  .transform(
    (release): ReleaseIntent => ({
      image: release.image ?? { parts: release.images ?? {} },
      ...(release.version !== undefined && { version: release.version }),
      overrides: release.policy ?? {},
      acceptHalted: release.acceptHalted ?? false,
      ...(release.from !== undefined && { from: release.from }),
      ...(release.irreversible === true && { irreversible: true }),
      ...(release.allowDowngrade === true && { allowDowngrade: true }),
      ...(release.urgent === true && { urgent: true }),
      ...(release.notBefore !== undefined && { notBeforeMs: release.notBefore }),
      ...(release.expires !== undefined && { expiresMs: release.expires }),
      ...(release.publication !== undefined && { publication: release.publication }),
      ...(release.train !== undefined && { train: release.train }),
      ...(release.trainOf !== undefined && { trainOf: release.trainOf }),
    }),
  );

/** As the coordinator writes it, for itself to read. */
export function encodeRelease({ release, publication }: Publishing): Uint8Array {
  return encode({ ...release, publication });
}

/** The JSON Schemas of what people write. */
export function intentJsonSchemas(): { readonly release: unknown; readonly control: unknown } {
  return {
    release: z.toJSONSchema(releaseSchema, { io: 'input' }),
    control: z.toJSONSchema(controlSchema, { io: 'input' }),
  };
}
