import {
  needsDockerMark,
  needsHaproxyMark,
  needsOwnDockerdMark,
  needsPrometheusMark,
} from '../test/support/needs.ts';

/** What is read of vitest's JSON report. */
export type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly TestResult[];
  }[];
};

type TestResult = { readonly fullName: string; readonly status: string };

/** How the run ended outside its tests. */
export type Run = {
  readonly exitCode: number;
  /** Why tests that need Docker were skipped, if they were. */
  readonly noDocker: string | undefined;
  /** The same of what needs HAProxy as well. */
  readonly noHaproxy: string | undefined;
  /** And of what needs Prometheus. */
  readonly noPrometheus: string | undefined;
  /** And of what ends and starts a dockerd. */
  readonly noOwnDockerd: string | undefined;
  /** Whether a name filter was given; vitest reports every test it leaves out as skipped. */
  readonly filtered: boolean;
};

/** The closing lines of a test run, the last one always being `N passed, N failed[, N skipped]`, and its exit code. */
export type Summary = { readonly lines: readonly string[]; readonly exitCode: number };

/** Counts a run. A test nobody ran and nobody explained is a failure: nothing is left out silently. */
export function summarize(report: Report, run: Run): Summary {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed');
  const failed = tests.filter((test) => test.status === 'failed');
  const notRun = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  const explained = notRun.filter((test) => isExplained(test, run));
  const unexplained = report.testResults.flatMap((file) => unexplainedIn(file, run));
  // A file that cannot be loaded fails without a test in it that does.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failures = failed.length + unexplained.length + broken.length;
  // vitest fails for reasons of its own as well: an error outside every test, or no test at all.
  const outside = failures === 0 && (run.exitCode !== 0 || passed.length === 0) ? 1 : 0;
  const skipped = explained.length === 0 ? '' : `, ${explained.length} skipped`;
  return {
    lines: [
      ...report.testResults.flatMap((file) => complaintAbout(file.name, unexplainedIn(file, run))),
      ...broken.map((file) => `could not be run: ${file.name}: ${file.message.split('\n')[0]}`),
      ...(outside === 1
        ? [`no test failed, but vitest ended with ${run.exitCode} after ${passed.length} passed`]
        : []),
      ...reasonsFor(explained, run),
      `${passed.length} passed, ${failures + outside} failed${skipped}`,
    ],
    exitCode: failures + outside === 0 ? 0 : 1,
  };
}

function unexplainedIn(file: Report['testResults'][number], run: Run): readonly TestResult[] {
  const notRun = file.assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed');
  return run.filtered ? [] : notRun.filter((test) => !isExplained(test, run));
}

/** One line for a file: a hook that failed leaves out all its tests at once. */
function complaintAbout(file: string, tests: readonly TestResult[]): readonly string[] {
  const [first] = tests;
  return first === undefined
    ? []
    : [`${file}: ${tests.length} not run, and nobody said why, first (${first.status}): ${first.fullName}`];
}

function reasonsFor(skipped: readonly TestResult[], run: Run): readonly string[] {
  return [
    ...(skipped.every(needsMore) ? [] : [`skipped is what needs Docker: ${run.noDocker}`]),
    ...MORE.flatMap(({ mark, name, why }) =>
      skipped.some(({ fullName }) => fullName.includes(mark))
        ? [`skipped is what needs ${name}: ${why(run)}`]
        : [],
    ),
  ];
}

function isExplained(test: TestResult, run: Run): boolean {
  if (test.status === 'todo') return false;
  const more = MORE.find(({ mark }) => test.fullName.includes(mark));
  if (more !== undefined) return more.why(run) !== undefined;
  return run.noDocker !== undefined && test.fullName.includes(needsDockerMark);
}

/** What some tests need beside Docker. */
const MORE: readonly { mark: string; name: string; why: (run: Run) => string | undefined }[] = [
  { mark: needsHaproxyMark, name: 'HAProxy', why: ({ noHaproxy }) => noHaproxy },
  { mark: needsPrometheusMark, name: 'Prometheus', why: ({ noPrometheus }) => noPrometheus },
  { mark: needsOwnDockerdMark, name: 'a dockerd of its own', why: ({ noOwnDockerd }) => noOwnDockerd },
];

function needsMore({ fullName }: TestResult): boolean {
  return MORE.some(({ mark }) => fullName.includes(mark));
}
