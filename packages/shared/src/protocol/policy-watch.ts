/** The part of a policy that makes releases of what a registry shows. */

import { z } from 'zod';
import { parseImageReference } from '../domain/image.ts';
import type { Watch } from '../domain/watch.ts';
import { DAY_MS, duration, durationText } from './policy-units.ts';

const EVERY_MS = 300_000;

const watchedImage = z
  .string({ error: 'must be an image and its tag, such as "registry.example/web:latest"' })
  // With a digest behind it, it is still an image that a release may name.
  .max(900)
  .transform((text, context) => {
    const reference = parseImageReference(text);
    if (reference !== undefined) return reference;
    const message = `"${text.slice(0, 200)}" is no image reference: write registry/name:tag`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

export const watchSchema = z
  .strictObject({
    image: watchedImage.meta({
      description: 'The tag whose new digests become releases; the tag `latest` where none is named',
      examples: ['registry.example/web:stable'],
    }),
    every: duration(10_000, 30 * DAY_MS)
      .optional()
      .meta({
        description:
          'How often the registry is asked, by whichever coordinator leads. Services that watch the same tag are one question',
        default: durationText(EVERY_MS),
        examples: ['1m'],
      }),
    mode: z
      .enum(['auto', 'propose'], { error: 'must be "auto" or "propose"' })
      .optional()
      .meta({
        description:
          '`"auto"`: a new digest is released at once. `"propose"`: it waits for a person, and a newer one takes its place',
        default: 'propose',
        examples: ['auto'],
      }),
  })
  .refine(({ image }) => image.digest === undefined, {
    path: ['image'],
    error: 'must be a tag: a digest never changes',
  })
  .transform(
    ({ image: { repository, tag = 'latest' }, every, mode }): Watch => ({
      image: { repository, tag },
      everyMs: every ?? EVERY_MS,
      mode: mode ?? 'propose',
    }),
  );
