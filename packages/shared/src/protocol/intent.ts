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
import { inputJsonSchema } from './json-schema.ts';
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
    image: image.optional().meta({
      description:
        'What to roll out: a tag, which is resolved once, or a digest. This field or `images` must be there, and nothing else',
      examples: ['registry.example/web:v2'],
    }),
    images: images.optional().meta({
      description: 'In its place: several parts of a stack as one unit, an image for each (below)',
      examples: [{ web: 'registry.example/web:v2', worker: 'registry.example/worker:v2' }],
    }),
    version: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .meta({
        description: 'What people call it; of a unit, the tag that all its images have',
        otherwise: 'the tag',
        examples: ['2.4.1'],
      }),
    policy: policySchema
      .refine(({ watch }) => watch === undefined, {
        path: ['watch'],
        error: 'watches a tag for the service, not for one release: put it into the bucket swell_policies',
      })
      .optional()
      .describe('Overrides the policy of the service for this rollout'),
    acceptHalted: z
      .boolean()
      .optional()
      .meta({
        description: 'Take this digest although it was halted before',
        default: false,
        examples: [true],
      }),
    from: z
      .array(versionOrRange)
      .min(1, 'must name at least one version: leave it out where it may start from any')
      .max(32)
      .optional()
      .meta({
        description:
          'Versions, or ranges of semver.org, from which it may start. A fleet that has settled on another one refuses it; nodes that lag behind on another one (or on what has no version) are held',
        otherwise: 'any',
        examples: [['1.4.2', '>=1.5 <2']],
      }),
    irreversible: z
      .boolean()
      .optional()
      .meta({
        description:
          'What it does to its data cannot be undone, as a migration: no node goes back from it (below)',
        default: false,
        examples: [true],
      }),
    allowDowngrade: z
      .boolean()
      .optional()
      .meta({
        description:
          'Take this version although it is older than the one on which the fleet has settled, or than the one that is under way. Versions are compared as those of semver.org, also short ones (`v18`, `1.2`); where one of the two is none (`latest`), nobody is asked',
        default: false,
        examples: [true],
      }),
    urgent: z
      .boolean()
      .optional()
      .meta({
        description: 'It does not wait for the end of the cool-down',
        default: false,
        examples: [true],
      }),
    notBefore: time
      .optional()
      .meta({ description: 'It does not begin before', examples: ['2026-12-01T06:00:00Z'] }),
    expires: time.optional().meta({
      description:
        'From then on nobody starts it: one that has not begun is dropped, one that is under way is aborted, and everybody stays as he is',
      examples: ['2026-12-08T00:00:00Z'],
    }),
    publication: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .meta({
        description:
          'What its publisher calls this message. What the coordinator publishes itself (`undo`, `rollback`) bears one, by which it knows it again',
        examples: ['undo-17-1763741040123'],
      }),
    train: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'The release train that it belongs to', examples: ['2026-11'] }),
    trainOf: z
      .array(name)
      .min(1, 'must name at least one service: leave it out where releases are published in order')
      .max(TRAIN_MAX)
      .optional()
      .meta({
        description:
          'All services that have a release in the train: they are waited for also before they are published. This one is among them. Only beside `train`',
        examples: [['db', 'web']],
      }),
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
    release: inputJsonSchema(releaseSchema),
    control: inputJsonSchema(controlSchema),
  };
}
