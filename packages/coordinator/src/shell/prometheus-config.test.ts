import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const URL = { SWELL_PROMETHEUS_URL: 'https://prometheus.example/mimir' };

test('where Prometheus is, who asks, and whom to trust', () => {
  expect(readConfig({}).prometheus).toBeUndefined();
  expect(readConfig(URL).prometheus).toEqual({ url: URL.SWELL_PROMETHEUS_URL });
  expect(
    readConfig({ ...URL, SWELL_PROMETHEUS_TOKEN_FILE: '/t', SWELL_PROMETHEUS_TLS_CA: '/ca' }).prometheus,
  ).toEqual({ url: URL.SWELL_PROMETHEUS_URL, login: { kind: 'token', file: '/t' }, caFile: '/ca' });
  expect(readConfig({ ...URL, SWELL_PROMETHEUS_LOGIN_FILE: '/l' }).prometheus?.login).toEqual({
    kind: 'password',
    file: '/l',
  });
});

test('an address that is none, and two ways to say who asks, are refused by name', () => {
  expect(() => readConfig({ SWELL_PROMETHEUS_URL: 'prometheus:9090' })).toThrow(
    'SWELL_PROMETHEUS_URL: must be an address such as "http://prometheus:9090"',
  );
  expect(() =>
    readConfig({ ...URL, SWELL_PROMETHEUS_TOKEN_FILE: '/t', SWELL_PROMETHEUS_LOGIN_FILE: '/l' }),
  ).toThrow('SWELL_PROMETHEUS_LOGIN_FILE: there is a SWELL_PROMETHEUS_TOKEN_FILE: give one of them');
});
