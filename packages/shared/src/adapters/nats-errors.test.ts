import { JetStreamApiError } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { toBusError } from './nats-errors.ts';

function said(err_code: number): JetStreamApiError {
  return new JetStreamApiError({ code: 503, err_code, description: 'as the server says it' });
}

test.each([
  [10_023, 'insufficient resources'],
  [10_028, 'memory resources exceeded'],
  [10_047, 'insufficient storage resources'],
  [10_077, 'maximum bytes exceeded'],
])('%i: a server or a stream that is full (%s) is full until somebody makes room', (code) => {
  expect(toBusError(said(code), 'publishing', 'unknown-outcome')).toMatchObject({
    code: 'unavailable',
    retryable: true,
  });
});

test.each([
  [10_054, 'message size exceeds maximum allowed'],
  [10_999, 'whatever is not known'],
])('%i: %s is a plain no', (code) => {
  expect(toBusError(said(code), 'publishing', 'unknown-outcome')).toMatchObject({
    code: 'refused',
    retryable: false,
  });
});
