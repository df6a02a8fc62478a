import { expect, it } from 'vitest';
import { codeIn } from './stage.ts';

it.each([
  ['toomanyrequests: You have reached your pull rate limit', 'pull-failed'],
  ['error parsing HTTP 429 response body: unexpected end of JSON input: ""', 'pull-failed'],
  ['received unexpected HTTP status: 429 Too Many Requests', 'pull-failed'],
  ['toomanyrequests: access denied until you log in', 'pull-failed'],
  ['manifest unknown: manifest unknown', 'image-missing'],
  ['no matching manifest for linux/arm64 in the manifest list entries', 'image-missing'],
  ['unauthorized: authentication required', 'image-missing'],
  ['pull access denied for web, repository does not exist', 'image-missing'],
  ['manifest verification failed for digest sha256:1', 'digest-mismatch'],
  ['dial tcp 127.0.0.1:1: connect: connection refused', 'pull-failed'],
])('of a pull that ended with %j is known: %s', (message, code) => {
  expect(codeIn(message)).toBe(code);
});
