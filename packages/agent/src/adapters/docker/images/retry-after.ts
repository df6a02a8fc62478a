/**
 * For how long a registry wants to be left alone. dockerd tells only that it has had enough; so it is asked once, by a HEAD of
 * the manifest, which counts against no limit, what it says to that.
 */

import { createRegistry } from '@swell/shared/adapters/registry.ts';
import type { CredentialStore, Credentials } from '@swell/shared/adapters/registry-credentials.ts';
import { RegistryError } from '@swell/shared/adapters/registry-error.ts';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type { RegistryAuth, RegistryAuthSource } from './registry-auth.ts';

const ANSWER_TIMEOUT_MS = 5_000;

/** `undefined`: it does not say. Never throws. */
export type RetryAfterSource = (image: PinnedImage, signal: AbortSignal) => Promise<number | undefined>;

export function askRetryAfter(auth: RegistryAuthSource): RetryAfterSource {
  return async ({ repository, digest }, signal) => {
    const credentials: CredentialStore = {
      place: "Docker's config.json",
      find: async () => credentialsOf(await auth(repository)),
    };
    try {
      const registry = createRegistry({ credentials, timeoutMs: ANSWER_TIMEOUT_MS });
      await registry.resolve({ repository, digest }, signal);
      return undefined;
    } catch (error) {
      if (error instanceof RegistryError) return error.retryAfterMs;
      if (signal.aborted) return undefined;
      throw error;
    }
  };
}

function credentialsOf(auth: RegistryAuth | undefined): Credentials | undefined {
  const { identitytoken, username, password } = auth ?? {};
  if (identitytoken !== undefined) return { kind: 'identity-token', token: identitytoken };
  return username === undefined || password === undefined
    ? undefined
    : { kind: 'password', username, password };
}
