/**
 * Registries say over HTTP that a tag has moved. Whichever coordinator hears it says so on the bus, and whoever leads has
 * the cores that watch the tag look at once. A hint is no more than that: what is lost is found by the next look, and what
 * is made up costs one.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import { isMeant, type TagHint } from '@swell/shared/domain/watch.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { NOTIFICATION_BYTES_MAX, notificationSchema, tagHintSchema } from '@swell/shared/protocol/hints.ts';
import { HINTS } from '@swell/shared/protocol/subjects.ts';
import type { Answer, Posted, PostOptions } from '@swell/shared/shell/status-server.ts';
import { watchOf } from '../core/release/looking.ts';
import type { Services } from './services.ts';

const TOKEN_LENGTH_MIN = 16;

/** The token of a file. Throws where that holds none worth its name. */
export function readToken(file: string): string {
  const token = readFileSync(file, 'utf8').trim();
  if (token.length >= TOKEN_LENGTH_MIN) return token;
  throw new Error(
    `${file} (SWELL_NOTIFICATIONS_TOKEN_FILE) holds no token of ${TOKEN_LENGTH_MIN} letters or more: write one with openssl rand -hex 32`,
  );
}

/** Where registries post their notifications to. @param bus missing, or disconnected: they are asked to say it again */
export function notifications(
  token: string,
  bus: () => Pick<Bus, 'broadcast' | 'connection'> | undefined,
  logger: Logger,
): PostOptions {
  return {
    path: '/notifications',
    bytesMax: NOTIFICATION_BYTES_MAX,
    answer(posted): Answer {
      if (!isAllowed(posted, token)) return { status: 401, body: 'the token is missing, or another one\n' };
      const read = decode(posted.body, notificationSchema, NOTIFICATION_BYTES_MAX);
      if (!read.ok) return { status: 400, body: `${read.problems.join('; ')}\n` };
      const connected = bus();
      if (connected?.connection !== 'connected')
        return { status: 503, body: 'the bus is out of reach: say it again later\n' };
      for (const hint of read.value) {
        logger.info({ ...hint }, 'a registry says that a tag has moved');
        connected.broadcast(HINTS, encode(hint), `${hint.repository}:${hint.tag ?? '*'} has moved`);
      }
      return { status: 202, body: `hints: ${read.value.length}\n` };
    },
  };
}

/** `Authorization: Bearer …`; `?token=…` for those that can only be given an address. */
function isAllowed({ authorization, query }: Posted, token: string): boolean {
  const said = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? query.get('token') ?? '';
  const [left, right] = [said, token].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}

/** Hands what is said on the bus to the services that watch the tag. Until the signal aborts. */
export async function hearHints(
  { bus, logger }: { readonly bus: Bus; readonly logger: Logger },
  services: Services,
  ending: AbortSignal,
): Promise<void> {
  const subscription = bus.subscribe(HINTS);
  ending.addEventListener('abort', () => subscription.close(), { once: true });
  try {
    for await (const { body } of subscription) {
      const hint = decode(body, tagHintSchema);
      if (hint.ok) handOn(hint.value, services);
      else logger.warn({ subject: HINTS, problems: hint.problems }, 'message rejected');
    }
  } catch (error) {
    // Nobody leads the worse for it: tags are looked at all the same.
    logger.warn({ err: error }, 'hints are not heard');
  }
}

function handOn(hint: TagHint, services: Services): void {
  for (const machine of services.machines.values()) {
    const watch = watchOf(machine.state);
    if (watch !== undefined && isMeant(watch.image, hint)) void machine.post({ kind: 'tag-hinted', hint });
  }
}
