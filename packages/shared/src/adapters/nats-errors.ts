/** What NATS says when it fails, in the four words of {@link BusErrorCode}. */

import { JetStreamApiError, jserrors } from '@nats-io/jetstream/internal';
import { errors } from '@nats-io/nats-core';
import { BusError, type BusErrorCode } from './bus.ts';

/** The codes of the JetStream API that are not a plain "no" (nats-server, `jetstream_errors_generated.go`). */
const API_ERROR_CODES: Readonly<Record<number, BusErrorCode>> = {
  10071: 'conflict', // wrong last sequence
  10164: 'conflict', // wrong last sequence, and the server does not say which is right
  10158: 'unknown-outcome', // the same id is being stored right now
  10008: 'unavailable', // system temporarily unavailable
  10009: 'unavailable', // cluster cannot handle the request (no leader)
  10023: 'unavailable', // insufficient resources: its disk or memory is full, until somebody makes room
  10026: 'unavailable', // maximum consumers limit reached: those of the dead go after a while
  10028: 'unavailable', // memory resources exceeded for account
  10035: 'unavailable', // account not found
  10039: 'unavailable', // not enabled for account
  10047: 'unavailable', // insufficient storage resources available
  10059: 'unavailable', // stream not found
  10076: 'unavailable', // not enabled
  10077: 'unavailable', // maximum bytes or messages of the stream exceeded
  10118: 'unavailable', // stream is offline
  10119: 'unavailable', // consumer is offline
  10163: 'unavailable', // expected last sequence per subject temporarily unavailable
  10167: 'unavailable', // too many requests
};

/** The error behind an error: nats.js wraps what it caught, to show where a request began. */
function* causes(error: unknown): Generator {
  let current = error;
  for (let depth = 0; depth < 8 && current !== undefined; depth += 1) {
    yield current;
    current = current instanceof Error ? current.cause : undefined;
  }
}

function codeOf(error: unknown): BusErrorCode | undefined {
  if (error instanceof JetStreamApiError) return API_ERROR_CODES[error.code] ?? 'refused';
  if (error instanceof jserrors.JetStreamNotEnabled) return 'unavailable';
  if (error instanceof errors.NoRespondersError) return 'unavailable';
  if (
    error instanceof errors.PermissionViolationError ||
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError ||
    error instanceof errors.InvalidArgumentError ||
    error instanceof errors.InvalidSubjectError ||
    error instanceof errors.InvalidOperationError ||
    error instanceof jserrors.InvalidNameError
  ) {
    return 'refused';
  }
  return undefined;
}

/**
 * The bus error for whatever was thrown while `doing` something. Silence (a timeout, a lost connection, an answer that
 * nobody understands) is `onSilence`: a publish may have been stored, a question was merely not answered.
 */
export function toBusError(
  error: unknown,
  doing: string,
  onSilence: 'unknown-outcome' | 'unavailable',
): BusError {
  if (error instanceof BusError) return error;
  let code: BusErrorCode | undefined;
  for (const cause of causes(error)) code ??= codeOf(cause);
  const said = error instanceof Error ? error.message : String(error);
  return new BusError(code ?? onSilence, `${doing}: ${said}`, { cause: error });
}
