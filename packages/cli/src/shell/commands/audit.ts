import { systemClock } from '@swell/shared/adapters/clock.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { readStored } from '@swell/shared/adapters/reading.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import { RULE_IDS, type Violation } from '@swell/shared/domain/rules/rule.ts';
import { createChecker } from '@swell/shared/domain/rules.ts';
import { parseDurationMs } from '@swell/shared/kernel/units.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { ALL_LOG, ALL_NODES, parseNodeSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { drawAudit } from '../../core/audit.ts';
import { EXIT } from '../../core/status.ts';
import { atMost, type Command, type Context, textOf } from '../command.ts';
import { UsageError } from '../usage.ts';

export const audit: Command = {
  name: 'audit',
  usage: '[--since 24h] [--at-rest]',
  about: 'Reads the log, and tells which of the rules that never break were broken',
  options: { since: { type: 'string' }, 'at-rest': { type: 'boolean' } },
  async run({ args, values, connect, print }) {
    atMost(0, args);
    const sinceMs = sinceOf(values);
    const atRest = values['at-rest'] === true;
    const bus = await connect();
    const from = sinceMs === undefined ? 1 : await bus.firstSince(STREAMS.log, sinceMs);
    const checker = createChecker();
    const violations: Violation[] = [];
    const heard = new Set<NodeId>();
    let entries = 0;
    if (from !== undefined) {
      for await (const message of readStored(bus, STREAMS.log, ALL_LOG, from)) {
        const entry = readLogEntry(message);
        if (entry === undefined) continue;
        entries += 1;
        if (entry.kind === 'report') heard.add(entry.report.node);
        violations.push(...checker.check(entry));
      }
    }
    const gone = atRest ? await silentOf(bus, heard) : new Set<NodeId>();
    violations.push(...checker.finish({ atRest, gone }));
    const { judged } = checker;
    const found = { ok: violations.length === 0, entries, atRest, judged, violations };
    print(found, drawAudit(found, RULE_IDS));
    return violations.length === 0 ? EXIT.done : EXIT.failed;
  },
};

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}.*)?$/;

/** "24h" before now, or a time as ISO 8601 has it. */
function sinceOf(values: Context['values']): number | undefined {
  const text = textOf(values, 'since');
  if (text === undefined) return undefined;
  const ms = parseDurationMs(text);
  if (ms !== undefined) return systemClock.wallMs() - ms;
  // The platform takes much else for a date: "5" is one of 2001.
  const atMs = ISO_TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new UsageError(`--since: "${text}" is no time: write "24h", or 2026-01-31T12:00:00Z`);
}

/** Who has spoken and is not there any more owes no result. */
async function silentOf(bus: NatsBus, heard: ReadonlySet<NodeId>): Promise<ReadonlySet<NodeId>> {
  const present = await bus.readLastOfEach(STREAMS.nodes, [ALL_NODES]);
  const here = new Set(
    present.flatMap(({ subject, deleted }) => (deleted ? [] : (parseNodeSubject(subject)?.node ?? []))),
  );
  return new Set([...heard].filter((node) => !here.has(node)));
}
