import { describe } from 'vitest';

/**
 * The reason why no Docker can be had, or undefined where it can. The test run decides that once for all files
 * (`scripts/test.ts`) and prints the reason beside the number of skipped tests.
 */
export const noDocker: string | undefined = process.env['SWELL_TEST_NO_DOCKER'];

/** What the name of a suite ends with that may be skipped; a skipped test without it is a failure of the run. */
export const needsDockerMark = '[needs Docker]';

/** A suite that runs real containers: skipped, and counted as skipped, where there is no Docker. */
export function describeWithDocker(name: string, body: () => void): void {
  describe.skipIf(noDocker !== undefined)(`${name} ${needsDockerMark}`, () => {
    body();
  });
}

/** As {@link noDocker}; where there is no Docker there is nothing to balance either. */
const noHaproxy: string | undefined = process.env['SWELL_TEST_NO_HAPROXY'];

/** As {@link needsDockerMark}. */
export const needsHaproxyMark = '[needs HAProxy]';

/** A suite that runs real containers behind a real HAProxy. */
export function describeWithHaproxy(name: string, body: () => void): void {
  describe.skipIf(noHaproxy !== undefined)(`${name} ${needsHaproxyMark}`, () => {
    body();
  });
}

/** As {@link noDocker}; its images are made on the usual one. */
const noOwnDockerd: string | undefined = process.env['SWELL_TEST_NO_OWN_DOCKERD'];

/** As {@link needsDockerMark}. */
export const needsOwnDockerdMark = '[needs a dockerd of its own]';

/** A suite that ends and starts a dockerd. */
export function describeWithOwnDockerd(name: string, body: () => void): void {
  describe.skipIf(noOwnDockerd !== undefined)(`${name} ${needsOwnDockerdMark}`, () => {
    body();
  });
}

/** As {@link noDocker}; gates are tried with agents of real containers. */
const noPrometheus: string | undefined = process.env['SWELL_TEST_NO_PROMETHEUS'];

/** As {@link needsDockerMark}. */
export const needsPrometheusMark = '[needs Prometheus]';

/** A suite that runs real containers, whose agents a real Prometheus scrapes. */
export function describeWithPrometheus(name: string, body: () => void): void {
  describe.skipIf(noPrometheus !== undefined)(`${name} ${needsPrometheusMark}`, () => {
    body();
  });
}
