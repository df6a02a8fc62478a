/** Is the node as it ought to be? Everything is asked of Docker, of the service itself, and of the fleet's log. */

import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { isResult, type NodeReport, type NodeStatus } from '@swell/shared/domain/report.ts';
import { checkLog } from '@swell/shared/domain/rules.ts';
import { STREAMS, slotKey } from '@swell/shared/protocol/subjects.ts';
import type Docker from 'dockerode';
import { type Shown, shown } from '../support/shown.ts';
import type { ImageTag } from './flow.ts';
import type { Stand } from './stand.ts';

const SERVES_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 50;

export interface Expected {
  readonly endsAs: NodeStatus;
  readonly endsOn: ImageTag;
}

/** What is wrong with it; nothing, where all is well. */
export async function judge(stand: Stand, { endsAs, endsOn }: Expected): Promise<readonly string[]> {
  await stand.options.ground.readToEnd();
  const containers = await stand.containers();
  const [container] = containers;
  if (container === undefined || containers.length > 1) {
    return [`${containers.length} containers: ${containers.map(({ Name }) => Name).join(', ')}`];
  }
  return [
    ...(await containerProblems(stand, container, endsOn)),
    ...(await servingProblems(stand, endsOn)),
    ...reportProblems(stand, endsAs),
    ...(await slotProblems(stand)),
    ...checkLog(stand.entries()).map(({ rule, message }) => `${rule}: ${message}`),
  ];
}

async function containerProblems(
  stand: Stand,
  container: Docker.ContainerInspectInfo,
  endsOn: ImageTag,
): Promise<readonly string[]> {
  const { machine } = stand.options;
  const wanted = await machine.imageId(endsOn);
  const known = await machine.docker.getImage(stand.reference).inspect();
  return [
    ...unlessSame('its name', container.Name, `/${stand.name}`),
    ...unlessSame('its state', container.State.Status, 'running'),
    ...unlessSame('its image', container.Image, wanted),
    ...unlessSame('what its reference names', known.Id, wanted),
    // Its restart policy is among these.
    ...Object.keys(stand.before).flatMap((part) =>
      unlessSame(`its ${part}`, shown(container)[part as keyof Shown], stand.before[part as keyof Shown]),
    ),
  ];
}

/** As those who use it ask: by its published port. A container that was just started takes a moment to listen. */
async function servingProblems({ options }: Stand, endsOn: ImageTag): Promise<readonly string[]> {
  const deadline = performance.now() + SERVES_WITHIN_MS;
  for (;;) {
    const [served, health] = [await ask(options.port, '/'), await ask(options.port, '/health')];
    if (served === `200 ${endsOn}` && health === '200 ok') return [];
    if (performance.now() > deadline) return [`it answers ${served} and, to its probe, ${health}`];
    await delay(ASK_EVERY_MS);
  }
}

async function ask(port: number, path: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(2_000);
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal,
      headers: { connection: 'close' },
    });
    return `${answer.status} ${(await answer.text()).trim()}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Exactly one result for every attempt, each message of it counted, and the right one last. */
function reportProblems(stand: Stand, endsAs: NodeStatus): readonly string[] {
  const reports = stand.entries().flatMap((entry) => (entry.kind === 'report' ? [entry.report] : []));
  const attempts = Map.groupBy(reports, ({ attempt }) => attempt);
  attempts.delete(undefined);
  const counted = [...attempts].flatMap(([attempt, said]) => {
    const results = said.filter(({ status }) => isResult(status));
    return results.length === 1 ? [] : [`attempt ${attempt} has ${results.length} results: ${words(said)}`];
  });
  const last = reports.at(-1)?.status;
  const hasTried = attempts.size > 0;
  return [
    ...counted,
    ...(last === endsAs && hasTried
      ? []
      : [`it should have ended as ${endsAs}, and said: ${words(reports)}`]),
  ];
}

function words(reports: readonly NodeReport[]): string {
  return reports.map(({ attempt, status }) => [attempt, status].filter(Boolean).join(' ')).join(', ');
}

async function slotProblems({ options, service, region }: Stand): Promise<readonly string[]> {
  const slot = await options.ground.bus.readLast(STREAMS.slots, slotKey(region, service, 0));
  return slot?.deleted === true ? [] : [`its slot is ${slot === undefined ? 'untouched' : 'still taken'}`];
}

function unlessSame(what: string, found: unknown, wanted: unknown): readonly string[] {
  if (isDeepStrictEqual(found, wanted)) return [];
  if (!isRecord(found) || !isRecord(wanted)) {
    return [`${what} is ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`];
  }
  const names = new Set([...Object.keys(found), ...Object.keys(wanted)]);
  return [...names].flatMap((name) => unlessSame(`${what}, ${name},`, found[name], wanted[name]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
