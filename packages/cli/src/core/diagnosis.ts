/** What is wrong with the bus and who leads on it: each thing that was looked at, what was found, what to do. */

import type { Region } from '@swell/shared/domain/names.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { type Row, span, type Tone } from './rows.ts';

export interface Check {
  readonly name: string;
  /** `unknown`: it could not be looked at; the remedy says how it can. */
  readonly state: 'ok' | 'concern' | 'unknown';
  readonly found: string;
  readonly remedy?: string;
}

/** What `doctor` has looked at. */
export interface Findings {
  readonly serverVersion: string;
  readonly concerns: readonly {
    readonly server: string;
    readonly setting: 'version' | 'sync_interval';
    readonly expected: string;
    readonly found: string;
  }[];
  /** Monitoring addresses that were asked how their servers sync. */
  readonly monitored: readonly string[];
  readonly missing: readonly string[];
  readonly streams: readonly {
    readonly stream: string;
    readonly replicas: number;
    readonly leader?: string;
    readonly behind: readonly string[];
  }[];
  readonly drift: readonly {
    readonly stream: string;
    readonly field: string;
    readonly expected: unknown;
    readonly found: unknown;
  }[];
  readonly clocks: readonly {
    readonly server: string;
    readonly aheadMs: number;
    readonly toleranceMs: number;
  }[];
  /** The global coordinator's lease as it stands. */
  readonly lease?: StandingLease;
  /** Those of scopes that have a region. */
  readonly scopes: readonly { readonly scope: Scope; readonly lease?: StandingLease }[];
  /** Regions of which nobody can read whose they are. */
  readonly unread: readonly Region[];
}

export interface StandingLease {
  readonly coordinator: string;
  readonly leaseMs: number;
  readonly ageMs: number;
}

/** Reports and slots of two servers are compared by their clocks with this much allowance (domain/rules). */
const CLOCK_AHEAD_MAX_MS = 2_000;
/** A leader renews well before its lease is over; given back, it lasts no time at all. */
const LEASES_MISSED = 2;

export function diagnose(findings: Findings): readonly Check[] {
  return [
    versionCheck(findings),
    ...syncChecks(findings),
    ...findings.missing.map((stream) => missingCheck(stream)),
    ...findings.streams.map((standing) => replicasCheck(standing)),
    ...driftChecks(findings),
    ...findings.clocks.map((clock) => clockCheck(clock)),
    leaseCheck('coordinator', findings.lease),
    ...findings.scopes.map(({ scope, lease }) => leaseCheck(`coordinator of scope ${scope}`, lease)),
    ...findings.unread.map((region) => unreadCheck(region)),
  ];
}

function versionCheck({ serverVersion, concerns }: Findings): Check {
  const concern = concerns.find(({ setting }) => setting === 'version');
  if (concern === undefined) return { name: 'server version', state: 'ok', found: serverVersion };
  const remedy = `run nats-server ${concern.expected}`;
  return { name: 'server version', state: 'concern', found: serverVersion, remedy };
}

function syncChecks({ monitored, concerns }: Findings): readonly Check[] {
  if (monitored.length === 0) {
    const remedy = "name the servers' monitoring addresses: --monitoring http://nats:8222";
    return [{ name: 'fsync', state: 'unknown', found: 'nobody was asked', remedy }];
  }
  return monitored.map((url): Check => {
    const name = `fsync of ${url}`;
    const concern = concerns.find(({ setting, server }) => setting === 'sync_interval' && server === url);
    if (concern === undefined) return { name, state: 'ok', found: 'always' };
    if (concern.found.startsWith('unknown')) {
      const remedy = 'is that the monitoring address (http_port) of a nats-server, and can it be reached?';
      return { name, state: 'unknown', found: concern.found, remedy };
    }
    const remedy = 'set jetstream { sync_interval: always }: else acknowledged messages can be lost';
    return { name, state: 'concern', found: concern.found, remedy };
  });
}

function missingCheck(stream: string): Check {
  const remedy = `start a coordinator, which makes it, or: nats stream add --config nats/streams/${stream}.json`;
  return { name: stream, state: 'concern', found: 'missing', remedy };
}

function replicasCheck({ stream, replicas, leader, behind }: Findings['streams'][number]): Check {
  const name = `${stream} replicas`;
  const found = `${replicas}`;
  if (leader === undefined && replicas > 1)
    return { name, state: 'concern', found: `${found}, no leader`, remedy: 'bring its servers back' };
  if (behind.length > 0) {
    const remedy = 'look at those servers: nats stream report';
    return { name, state: 'concern', found: `${found}, behind: ${behind.join(', ')}`, remedy };
  }
  return { name, state: 'ok', found };
}

function driftChecks({ drift, streams }: Findings): readonly Check[] {
  if (drift.length === 0)
    return streams.length === 0 ? [] : [{ name: 'definitions', state: 'ok', found: 'as in nats/streams' }];
  return drift.map(({ stream, field, expected, found }) => ({
    name: `${stream} ${field}`,
    state: 'concern',
    found: told(found),
    remedy: `nats/streams/${stream}.json says ${told(expected)}: nats stream edit ${stream}`,
  }));
}

function told(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function clockCheck({ server, aheadMs, toleranceMs }: Findings['clocks'][number]): Check {
  const name = `clock of ${server}`;
  const where = aheadMs < 0 ? 'behind' : 'ahead of';
  const found = `${formatDuration(Math.abs(aheadMs))} ${where} ours (± ${formatDuration(toleranceMs)})`;
  if (Math.abs(aheadMs) - toleranceMs <= CLOCK_AHEAD_MAX_MS) return { name, state: 'ok', found };
  return { name, state: 'concern', found, remedy: 'set both by NTP: one of them is wrong' };
}

function unreadCheck(region: Region): Check {
  const remedy = `nats kv put swell_rollouts region.${region} '{"scope":"…"}', or nats kv del swell_rollouts region.${region}`;
  return { name: `region ${region}`, state: 'concern', found: 'nobody can read whose it is', remedy };
}

function leaseCheck(name: string, lease: StandingLease | undefined): Check {
  const remedy = 'start one: nothing begins while none leads';
  if (lease === undefined)
    return { name, state: 'concern', found: 'none has ever led, or its lease is gone', remedy };
  const { coordinator, ageMs, leaseMs } = lease;
  const found = `${coordinator}, ${formatDuration(Math.max(0, ageMs))} ago`;
  return leaseMs === 0 || ageMs > leaseMs * LEASES_MISSED
    ? { name, state: 'concern', found: `none leads; the last was ${found}`, remedy }
    : { name, state: 'ok', found };
}

const SIGNS: Readonly<Record<Check['state'], readonly [string, Tone]>> = {
  ok: ['✓', 'good'],
  concern: ['✗', 'bad'],
  unknown: ['?', 'busy'],
};

export function drawChecks(checks: readonly Check[]): readonly Row[] {
  return checks.flatMap(({ name, state, found, remedy }): readonly Row[] => {
    const [sign, tone] = SIGNS[state];
    return [
      [span(`${sign} `, tone), span(`${name}: ${found}`)],
      ...(remedy === undefined ? [] : [[span(`    ${remedy}`, 'quiet')]]),
    ];
  });
}
