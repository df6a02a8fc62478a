import { describe, expect, test } from 'vitest';
import {
  needsDockerMark,
  needsHaproxyMark,
  needsOwnDockerdMark,
  needsPrometheusMark,
} from '../test/support/needs.ts';
import { type Report, type Run, summarize } from './test-summary.ts';

const clean: Run = {
  exitCode: 0,
  noDocker: undefined,
  noHaproxy: undefined,
  noPrometheus: undefined,
  noOwnDockerd: undefined,
  filtered: false,
};

function fileOf(
  ...tests: readonly (readonly [fullName: string, status: string])[]
): Report['testResults'][number] {
  const assertionResults = tests.map(([fullName, status]) => ({ fullName, status }));
  const status = assertionResults.some((result) => result.status === 'failed') ? 'failed' : 'passed';
  return { name: 'some.test.ts', status, message: '', assertionResults };
}

describe('the closing line', () => {
  test('counts what passed and what failed', () => {
    const report = { testResults: [fileOf(['a', 'passed'], ['b', 'failed']), fileOf(['c', 'passed'])] };
    expect(summarize(report, { ...clean, exitCode: 1 })).toEqual({
      lines: ['2 passed, 1 failed'],
      exitCode: 1,
    });
  });

  test('counts what needs Docker as skipped, with the reason', () => {
    const report = { testResults: [fileOf(['a', 'passed'], [`swap ${needsDockerMark} b`, 'skipped'])] };
    expect(summarize(report, { ...clean, noDocker: 'no daemon answers' })).toEqual({
      lines: ['skipped is what needs Docker: no daemon answers', '1 passed, 0 failed, 1 skipped'],
      exitCode: 0,
    });
  });

  test('counts what needs HAProxy as skipped, with the reason', () => {
    const report = { testResults: [fileOf(['a', 'passed'], [`traffic ${needsHaproxyMark} b`, 'skipped'])] };
    expect(summarize(report, { ...clean, noHaproxy: 'no apt-get here' })).toEqual({
      lines: ['skipped is what needs HAProxy: no apt-get here', '1 passed, 0 failed, 1 skipped'],
      exitCode: 0,
    });
    expect(summarize(report, clean)).toMatchObject({ exitCode: 1 });
  });

  test('counts what needs Prometheus as skipped, with the reason', () => {
    const report = { testResults: [fileOf(['a', 'passed'], [`gates ${needsPrometheusMark} b`, 'skipped'])] };
    expect(summarize(report, { ...clean, noPrometheus: 'no apt-get here' })).toEqual({
      lines: ['skipped is what needs Prometheus: no apt-get here', '1 passed, 0 failed, 1 skipped'],
      exitCode: 0,
    });
    expect(summarize(report, { ...clean, noHaproxy: 'no apt-get here' })).toMatchObject({ exitCode: 1 });
  });

  test('counts what needs a dockerd of its own as skipped, with the reason', () => {
    const report = { testResults: [fileOf(['a', 'passed'], [`ends ${needsOwnDockerdMark} b`, 'skipped'])] };
    expect(summarize(report, { ...clean, noOwnDockerd: 'not root' })).toEqual({
      lines: ['skipped is what needs a dockerd of its own: not root', '1 passed, 0 failed, 1 skipped'],
      exitCode: 0,
    });
    expect(summarize(report, clean)).toMatchObject({ exitCode: 1 });
  });

  test('takes a test that is skipped without a reason, and one still to do, for failures', () => {
    const report = { testResults: [fileOf(['a', 'passed'], ['b', 'skipped'], ['c', 'todo'])] };
    expect(summarize(report, clean)).toEqual({
      lines: ['some.test.ts: 2 not run, and nobody said why, first (skipped): b', '1 passed, 2 failed'],
      exitCode: 1,
    });
  });

  test('leaves out what a name filter left out', () => {
    const report = { testResults: [fileOf(['a', 'passed'], ['b', 'skipped'])] };
    expect(summarize(report, { ...clean, filtered: true })).toEqual({
      lines: ['1 passed, 0 failed'],
      exitCode: 0,
    });
  });

  test('takes a file that could not be loaded for a failure', () => {
    const broken = {
      name: 'x.test.ts',
      status: 'failed',
      message: 'no such module\n  at …',
      assertionResults: [],
    };
    expect(summarize({ testResults: [broken, fileOf(['a', 'passed'])] }, { ...clean, exitCode: 1 })).toEqual({
      lines: ['could not be run: x.test.ts: no such module', '1 passed, 1 failed'],
      exitCode: 1,
    });
  });

  test('takes an empty run, and one that failed outside its tests, for failures', () => {
    expect(summarize({ testResults: [] }, clean)).toEqual({
      lines: ['no test failed, but vitest ended with 0 after 0 passed', '0 passed, 1 failed'],
      exitCode: 1,
    });
    expect(summarize({ testResults: [fileOf(['a', 'passed'])] }, { ...clean, exitCode: 130 })).toEqual({
      lines: ['no test failed, but vitest ended with 130 after 1 passed', '1 passed, 1 failed'],
      exitCode: 1,
    });
  });
});
