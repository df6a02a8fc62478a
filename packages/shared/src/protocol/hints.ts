/** That a tag has moved: as coordinators say it to each other, and as registries say it over HTTP. */

import { z } from 'zod';
import { parseImageReference } from '../domain/image.ts';
import type { TagHint } from '../domain/watch.ts';
import { compact } from './fields.ts';

const repository = z.string().min(1).max(255);
const tag = z.string().min(1).max(128);

/** Plain and unstored, on the bus: whoever leads looks. */
export const tagHintSchema = z
  .object({ repository, tag: tag.optional() })
  .transform((hint): TagHint => compact(hint) as TagHint);

/** Notifications of the distribution registry, and of those that speak like it. Only pushes of tags are news. */
const distribution = z
  .object({
    events: z
      .array(
        z.object({
          action: z.string(),
          target: z
            .object({ repository: repository.optional(), tag: z.string().max(128).optional() })
            .optional(),
        }),
      )
      .max(1_000),
  })
  .transform(({ events }): readonly TagHint[] =>
    events.flatMap(({ action, target: { repository: path, tag: pushed } = {} }) =>
      action === 'push' && path !== undefined && pushed !== undefined && pushed !== ''
        ? [{ repository: path, tag: pushed }]
        : [],
    ),
  );

const dockerHub = z
  .object({ push_data: z.object({ tag }), repository: z.object({ repo_name: repository }) })
  .transform((hook): readonly TagHint[] => [
    { repository: hook.repository.repo_name, tag: hook.push_data.tag },
  ]);

/** Whatever else can post: `{"image":"registry.example/web:latest"}`. */
const anybody = z
  .object({ image: z.string().max(1_000) })
  .transform(({ image }, context): readonly TagHint[] => {
    const reference = parseImageReference(image);
    if (reference === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['image'],
        message: 'must be an image such as "registry.example/web:latest"',
      });
      return z.NEVER;
    }
    const path = reference.repository.slice(reference.repository.indexOf('/') + 1);
    return [{ repository: path, ...(reference.tag !== undefined && { tag: reference.tag }) }];
  });

export const notificationSchema = z.union([distribution, dockerHub, anybody], {
  error:
    'must be a notification of a registry ({"events":[…]}), a webhook of Docker Hub ({"push_data":…,"repository":…}) or {"image":"registry.example/web:latest"}',
});

export const NOTIFICATION_BYTES_MAX = 1_048_576;
