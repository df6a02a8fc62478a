/**
 * Waiting for a fleet. No wait is for a time: each is for something to happen, and each ends, with what it waited for,
 * what was told last, and where the logs are.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import type { SlotHolder } from '@swell/shared/domain/slot.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import type { LogLine, Program } from './programs.ts';

/** Far more than anything here takes on the slowest machine. */
const PATIENCE_MS = 100_000;
const LOOK_EVERY_MS = 50;
const LAST_WORDS = 12;

/** Resolves with what comes of `found`, or fails saying what it was. */
export async function patiently<Found>(fleet: Fleet, what: string, found: Promise<Found>): Promise<Found> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(gaveUp(fleet, what)), PATIENCE_MS);
  try {
    return await Promise.race([found, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again, for what nobody announces: the engine's own state. */
export async function untilSo(fleet: Fleet, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw gaveUp(fleet, what);
    await delay(LOOK_EVERY_MS);
  }
}

export function untilEntry<Found>(
  fleet: Fleet,
  what: string,
  pick: (entry: LogEntry) => Found | undefined,
): Promise<Found> {
  return patiently(fleet, what, fleet.log.until(pick));
}

export function untilEvent(fleet: Fleet, name: EventName, rollout: number): Promise<FleetEvent> {
  return patiently(fleet, `the event ${name} of rollout ${rollout}`, fleet.log.untilEvent(name, rollout));
}

export function untilReport(
  fleet: Fleet,
  node: FleetNode,
  status: NodeStatus,
  rollout: number,
): Promise<NodeReport> {
  const what = `${node.name} to say ${status} of rollout ${rollout}`;
  return patiently(fleet, what, fleet.log.untilReport(node.name, status, rollout));
}

/** Whoever says it first. */
export async function firstToSay(fleet: Fleet, status: NodeStatus, rollout: number): Promise<FleetNode> {
  const what = `anybody to say ${status} of rollout ${rollout}`;
  const name = await untilEntry(fleet, what, (entry) =>
    entry.kind === 'report' && entry.report.status === status && entry.report.rollout === rollout
      ? entry.report.node
      : undefined,
  );
  return nodeNamed(fleet, name);
}

export function untilLine(
  fleet: Fleet,
  program: Program,
  what: string,
  fits: (line: LogLine) => boolean,
  from = 0,
): Promise<LogLine> {
  return patiently(fleet, `a line in ${program.logFile}: ${what}`, program.line(fits, from));
}

/** Everything that the bus has stored by now has come into the log, and no slot is taken: nobody has begun anything. */
export async function untilAtRest(fleet: Fleet): Promise<void> {
  await patiently(fleet, 'every slot to be free', untilSlotsFree(fleet));
  const copied = [STREAMS.releases, STREAMS.controls, STREAMS.health, STREAMS.orders, STREAMS.slots];
  const sequences = new Map<string, number>();
  for (const stream of [...copied, STREAMS.log]) {
    const { messages, last_seq } = (await fleet.bus.manager.streams.info(stream)).state;
    // A bucket that nobody has written to yet may begin at a later number: there is nothing to wait for.
    sequences.set(stream, messages === 0 ? 0 : last_seq);
  }
  const named = [...sequences].map(([stream, sequence]) => `${stream} ${sequence}`).join(', ');
  await patiently(fleet, `the log to hold all that was stored (${named})`, fleet.log.untilRead(sequences));
}

async function untilSlotsFree(fleet: Fleet): Promise<void> {
  while (slotHolders(fleet).length > 0) {
    const seen = fleet.log.entries.length;
    await fleet.log.until((entry) => (fleet.log.entries.length > seen ? entry : undefined));
  }
}

/** Who holds a slot, as the log tells so far. */
export function slotHolders(fleet: Fleet): readonly SlotHolder[] {
  const slots = new Map<string, SlotHolder | undefined>();
  for (const entry of fleet.log.entries) {
    if (entry.kind === 'slot') slots.set(`${entry.region}.${entry.service}.${entry.slot}`, entry.holder);
  }
  return [...slots.values()].filter((holder) => holder !== undefined);
}

export function nodeNamed(fleet: Fleet, name: string): FleetNode {
  const node = fleet.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`no node is called ${name}`);
  return node;
}

/** Agents and coordinators that have ended though nobody asked them to. */
export function failedPrograms(fleet: Fleet): readonly Program[] {
  return [...fleet.agents.values(), ...fleet.coordinators.values()].filter(({ hasFailed }) => hasFailed);
}

function gaveUp(fleet: Fleet, what: string): Error {
  fleet.keepsLogs = true;
  const last = fleet.log.entries.slice(-LAST_WORDS).map(describe);
  return new Error(
    [
      `waited ${PATIENCE_MS / 1_000} s for ${what}; the logs are in ${fleet.directory}`,
      ...failedPrograms(fleet).map(({ logFile }) => `ended by itself: ${logFile}`),
      "Last in the fleet's log:",
      ...last.map((line) => `  ${line}`),
    ].join('\n'),
  );
}

function describe(entry: LogEntry): string {
  switch (entry.kind) {
    case 'event':
      return entry.event.line;
    case 'report': {
      const { node, status, rollout, reason } = entry.report;
      return `${node} says ${status} of rollout ${rollout}${reason === undefined ? '' : `: ${reason}`}`;
    }
    case 'wave': {
      const { region, phase, cursor, release } = entry.wave;
      return `wave ${entry.revision} in ${region}: rollout ${release.rollout} ${phase}, cursor ${cursor}`;
    }
    case 'slot':
      return `slot ${entry.slot} in ${entry.region}: ${entry.holder?.node ?? 'free'}`;
    case 'halt':
    case 'release':
      return `${entry.kind} of ${entry.service}`;
  }
}
