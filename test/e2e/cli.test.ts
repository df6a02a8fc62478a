/**
 * The `swell` command against a real bus, coordinator and agents: every command does what the `nats` CLI could do by hand,
 * waits for the answer, and ends with the exit code that a pipeline counts on.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../scripts/setup/places.ts';
import { SERVICE } from '../fleet/fleet.ts';
import { fleetOfThisFile, QUICK } from '../fleet/scenario.ts';
import { type Ran, runSwellCommand, SWELL_ENTRY } from '../fleet/swell-command.ts';
import { untilEntry, untilEvent } from '../fleet/watching.ts';

/** Each stage after the first waits for a person. */
const MANUAL = { ...QUICK, approval: 'manual' };

describe('the swell command', () => {
  const fleet = fleetOfThisFile({
    regions: { 'eu-west': 2, 'us-east': 1 },
    memory: { v1: 'well', v2: 'well', v3: 'sick', v4: 'well' },
  });
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swell-cli-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const swell = (...args: string[]): Promise<Ran> => runSwellCommand(fleet().server.url, args);

  /** The one object that it prints, and its exit code. */
  async function json(
    ...args: string[]
  ): Promise<{ readonly code: number | null; readonly result: unknown }> {
    const { code, out, err } = await swell(...args, '--json');
    expect(err).toBe('');
    expect(out.trim().split('\n')).toHaveLength(1);
    return { code, result: JSON.parse(out) };
  }

  async function fileOf(name: string, value: unknown): Promise<string> {
    const file = join(directory, name);
    await writeFile(file, JSON.stringify(value));
    return file;
  }

  async function release(tag: string, ...more: string[]): Promise<number> {
    const { code, result } = await json('release', SERVICE, `${fleet().repository}:${tag}`, ...more);
    expect({ code, result }).toMatchObject({ code: 0, result: { service: SERVICE, accepted: true } });
    return (result as { readonly rollout: number }).rollout;
  }

  it('sets a policy that is right, refuses one that is not, and shows what stands', async () => {
    const bad = await fileOf('bad.json', { stages: [50, 20], soak: 'long' });
    expect(await json('policy', 'set', SERVICE, bad)).toEqual({
      code: 1,
      result: {
        service: SERVICE,
        ok: false,
        problems: [
          'stages: must rise from stage to stage',
          'stages: must end with 100',
          'soak: must be a duration such as "30s" or "1h30m"',
        ],
      },
    });
    expect((await json('policy', 'check', SERVICE, bad)).code).toBe(1);
    const good = await fileOf('good.json', MANUAL);
    expect(await json('policy', 'check', SERVICE, good)).toEqual({
      code: 0,
      result: { service: SERVICE, ok: true, problems: [] },
    });
    expect(await json('policy', 'set', SERVICE, good)).toMatchObject({ code: 0, result: { accepted: true } });
    expect(await json('policy', 'get', SERVICE)).toMatchObject({ code: 0, result: { policy: MANUAL } });
    const args = ['policy', 'check', SERVICE, '-'];
    const piped = await runSwellCommand(fleet().server.url, args, { input: JSON.stringify(MANUAL) });
    expect(piped).toEqual({ code: 0, out: 'the policy is right\n', err: '' });
  });

  it('releases, waits at the gate, takes a word, and ends with 0 when the rollout has settled', async () => {
    const rollout = await release('v2');
    await untilEvent(fleet(), 'approval-awaited', rollout);
    expect(await json('status', SERVICE, '--watch', '--timeout', '8s')).toMatchObject({
      code: 3,
      result: { rollout, phase: 'gated', ended: false, stage: { number: 1, of: 2, percent: 50 } },
    });
    expect((await swell('status', SERVICE)).out).toMatch(/waits for approval: swell approve web/);
    expect(await json('approve', SERVICE, '--rollout', String(rollout + 1))).toMatchObject({
      code: 1,
      result: {
        action: 'approve',
        applied: false,
        problems: [expect.stringMatching(/the present rollout is/)],
      },
    });
    expect(await json('approve', SERVICE, 'it', 'looks', 'well')).toMatchObject({
      code: 0,
      result: { service: SERVICE, action: 'approve', applied: true, problems: [] },
    });
    const watched = await swell(
      'status',
      SERVICE,
      '--watch',
      '--rollout',
      String(rollout),
      '--timeout',
      '90s',
    );
    expect(watched.err).toBe('');
    expect(watched.code).toBe(0);
    expect(watched.out).toMatch(/Z {2}rollout \d+ of web begins: v2\n/);
    expect(watched.out).toMatch(/Z {2}rollout \d+ of web has settled: the fleet is on v2\n/);
    expect(watched.out).toMatch(/\n {2}eu-west {2}█{24} {2}□ {2}2 of 2 updated\n/);
    expect(await json('approve', SERVICE)).toMatchObject({ code: 1, result: { applied: false } });
  });

  it('shows the nodes and asks one why it waits', async () => {
    const { code, result } = await json('nodes', SERVICE);
    expect(code).toBe(0);
    const { digest } = await fleet().publishImage('v2');
    expect(result).toEqual({
      nodes: ['eu-west-1', 'eu-west-2', 'us-east-1'].map((node) =>
        expect.objectContaining({ node, service: SERVICE, running: digest, ready: expect.any(Boolean) }),
      ),
    });
    expect(await json('explain', 'us-east-1')).toEqual({
      code: 0,
      result: { region: 'us-east', node: 'us-east-1', services: { web: 'it is on v2, as it ought to be' } },
    });
    expect((await swell('explain', 'us-east.us-east-1')).out).toMatch(/web: it is on v2/);
    expect(await swell('explain', 'nobody')).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^swell: no node nobody is there: swell nodes shows who is/),
    });
    expect(await swell('explain', 'us-east.nobody')).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^swell: us-east\.nobody does not answer: is its agent running/),
    });
  });

  it('ends with 2 when the rollout was halted, and tells who failed', async () => {
    const policy = await fileOf('impatient.json', {
      approval: 'automatic',
      health: { healthyDeadline: '1s', minHealthyTime: '200ms' },
    });
    const rollout = await release('v3', '--version', 'three', '--policy', policy);
    expect(await json('status', SERVICE, '--watch', '--timeout', '90s')).toMatchObject({
      code: 2,
      result: {
        service: SERVICE,
        rollout,
        version: 'three',
        phase: 'rested',
        ended: true,
        reason: expect.stringMatching(/nodes failed$/),
        troubles: expect.arrayContaining([expect.objectContaining({ standing: 'failed' })]),
      },
    });
  });

  it('says why a release is refused, before and after it is on the bus', async () => {
    expect(await swell('release', SERVICE, 'Not An Image')).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^swell: that is no release: image: "Not An Image" is no image reference.*\nusage: /,
      ),
    });
    expect(await json('release', SERVICE, `${fleet().repository}:v3`)).toMatchObject({
      code: 1,
      result: { accepted: false, problems: [expect.stringMatching(/was halted as rollout/)] },
    });
    const { code, out } = await swell('release', SERVICE, `${fleet().repository}:no-such-tag`);
    expect(code).toBe(1);
    expect(out).toMatch(/^release \d+ of web is rejected: image: .*no-such-tag/);
  });

  it('tells what became of every release, newest first', async () => {
    const { code, result } = await json('history', SERVICE);
    expect(code).toBe(0);
    const { releases } = result as { readonly releases: readonly Readonly<Record<string, unknown>>[] };
    expect(releases.map(({ version, outcome }) => [version, outcome])).toEqual([
      ['no-such-tag', 'rejected'],
      ['v3', 'rejected'],
      ['three', 'halted'],
      ['v2', 'settled'],
    ]);
    const [, , halted, settled] = releases;
    expect(Number(halted?.['failures'])).toBeGreaterThanOrEqual(1);
    expect(settled).toMatchObject({ failures: 0, image: `${fleet().repository}:v2` });
    expect(await json('status', SERVICE, '--rollout', String(settled?.['rollout']))).toMatchObject({
      code: 0,
      result: { phase: 'settled', ended: true, version: 'v2' },
    });
    expect(await json('status')).toMatchObject({
      code: 0,
      result: { services: [{ service: SERVICE, phase: 'rested' }] },
    });
    expect((await swell('status', SERVICE, '--rollout', '999')).err).toMatch(
      /^swell: 999 is no release of web/,
    );
  });

  it('doctor finds everything in order, with all that it looked at', async () => {
    const { code, result } = await json('doctor', '--monitoring', fleet().server.monitoringUrl);
    expect({ code, result }).toMatchObject({ code: 0, result: { ok: true } });
    const { checks } = result as { readonly checks: readonly Readonly<Record<string, string>>[] };
    expect(new Set(checks.map(({ state }) => state))).toEqual(new Set(['ok']));
    const names = checks.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['server version', 'SWELL_LOG replicas', 'definitions', 'coordinator']),
    );
    expect(names.filter((name) => name?.startsWith('clock of '))).toHaveLength(1);
    expect(names.filter((name) => name?.startsWith('fsync of '))).toHaveLength(1);
  });

  it('the audit finds nothing in the log of this fleet', async () => {
    expect(await json('audit', '--at-rest')).toMatchObject({ code: 0, result: { ok: true, violations: [] } });
    const { result } = await json('audit', '--since', '24h');
    expect((result as { readonly entries: number }).entries).toBeGreaterThan(50);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    expect(await json('audit', '--since', later)).toMatchObject({ code: 0, result: { entries: 0 } });
  });

  it('a word that nobody answers is stored, and says so with 3', async () => {
    const [program] = fleet().coordinators.values();
    await program?.stop();
    expect(await json('pause', SERVICE, '--timeout', '8s')).toMatchObject({
      code: 3,
      result: { service: SERVICE, action: 'pause', applied: null, sequence: expect.any(Number) },
    });
    const { code, out } = await swell('doctor');
    expect(code).toBe(1);
    expect(out).toMatch(/✗ coordinator: none leads; the last was first, .* ago\n {4}start one/);
    expect(out).toMatch(/\? fsync: nobody was asked\n/);
    // Whoever leads next obeys it; the rollout has ended, so there is nothing to pause.
    await fleet().startCoordinator('second');
    await untilEntry(fleet(), 'the word to be refused', (entry) =>
      entry.kind === 'event' &&
      entry.event.name === 'control-rejected' &&
      entry.event.problems?.[0]?.startsWith('there is nothing to pause') === true
        ? entry
        : undefined,
    );
  });

  it('the GitHub Actions example releases and waits, with the words that stand in it', async () => {
    const quick = await fileOf('quick.json', QUICK);
    expect(await json('policy', 'set', SERVICE, quick)).toMatchObject({ code: 0 });
    const outputs = join(directory, 'outputs');
    const environment = {
      SERVICE,
      IMAGE: `${fleet().repository}:v4`,
      SWELL: SWELL_ENTRY,
      GITHUB_OUTPUT: outputs,
      SWELL_NATS_SERVERS: fleet().server.url,
    };
    await runStep('Release', environment);
    const [, rollout = ''] = /^rollout=(\d+)\n$/.exec(await readFile(outputs, 'utf8')) ?? [];
    const waited = await runStep('Wait until it has settled', { ...environment, ROLLOUT: rollout });
    expect(waited).toContain(`rollout ${rollout} of web has settled: the fleet is on v4\n`);
    expect(await fleet().nats('kv', 'get', 'swell_rollouts', `service.${SERVICE}`, '--raw')).toMatch(
      await waitedForByHand(rollout),
    );
    const older = { ...environment, IMAGE: `${fleet().repository}:v3` };
    await expect(runStep('Release', older)).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/"accepted":false.*is older than v4/),
    });
  });

  /** What `docs/CLI.md` waits for with the `nats` CLI alone, of this rollout. */
  async function waitedForByHand(rollout: string): Promise<RegExp> {
    const text = await readFile(join(root, 'docs/CLI.md'), 'utf8');
    const [, pattern] =
      /^until nats kv get swell_rollouts service\.web --raw \| grep -qE '(.*)'; do/m.exec(text) ?? [];
    if (pattern === undefined) throw new Error('docs/CLI.md does not say how to wait');
    return new RegExp(pattern.replace('7', rollout));
  }

  /** Runs a step of the example as GitHub does; returns what it printed. */
  async function runStep(name: string, environment: Readonly<Record<string, string>>): Promise<string> {
    const workflow = await readFile(join(root, 'deploy/github-actions/release.yaml'), 'utf8');
    const step = workflow.split(/^ {6}- /m).find((one) => one.startsWith(`name: ${name}\n`)) ?? '';
    const [, block, line] = /^ {8}run: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/m.exec(step) ?? [];
    const script = block ?? line;
    if (script === undefined) throw new Error(`the example has no step "${name}"`);
    const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
    const ran = await promisify(execFile)('bash', ['-e', '-c', script], {
      cwd: directory,
      env: { ...environment, PATH: path },
    });
    return ran.stdout;
  }
});
