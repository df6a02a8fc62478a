import { shortLine } from '../kernel/printable.ts';

export type RegistryErrorCode =
  /** The registry has no such tag or digest. */
  | 'not-found'
  /** The registry, or who gives out its tokens, says no to us. */
  | 'unauthorized'
  /** Asked too often; `retryAfterMs` says when again, where the registry did. */
  | 'rate-limited'
  /** No answer, or an error on their side. */
  | 'unavailable'
  /** An answer that no registry should give. */
  | 'bad-answer';

/** It becomes a line of the log, and what it quotes may be as long as any header. */
const MESSAGE_LENGTH_MAX = 1_000;

export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  /** What the registry asked us to wait. */
  readonly retryAfterMs: number | undefined;
  constructor(
    code: RegistryErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined },
  ) {
    super(shortLine(message, MESSAGE_LENGTH_MAX), options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
  get retryable(): boolean {
    return this.code === 'rate-limited' || this.code === 'unavailable';
  }
}
