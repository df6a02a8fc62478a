/** What the containers of a service are asked: how they are, whether they may stop, how much they have to do. */

import type { Probe } from '@swell/shared/domain/health.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import type Docker from 'dockerode';
import type { Leave, ProbeOutcome } from '../../../core/container.ts';
import { askCount, probeHttp, probeTcp } from '../../probe.ts';
import { type Dockerd, engineErrorOf } from '../dockerd.ts';
import type { InspectedContainer } from '../inspected.ts';
import { hasGoneBack, type Marked } from '../marks.ts';
import { probeCommand } from './exec.ts';
import { addressOf, judgeAutomatically, judgeHealthcheck, notRunning } from './health.ts';
import { lockHeld, runHookAfter, runHookBefore } from './hooks.ts';

/** One container, if it is still there, with the marks of its swap. */
export interface Probed {
  readonly container: InspectedContainer | undefined;
  readonly marked: Marked;
}

const NO_CONTAINER: ProbeOutcome = { healthy: false, seen: 'there is no container', gone: true };

export class Asking {
  readonly #docker: Docker;
  readonly #dockerd: Dockerd;

  constructor(docker: Docker, dockerd: Dockerd) {
    this.#docker = docker;
    this.#dockerd = dockerd;
  }

  /** The first that is not well speaks for all. */
  async probe(probed: readonly Probed[], probe: Probe, timeoutMs: number): Promise<ProbeOutcome> {
    const signal = AbortSignal.timeout(timeoutMs);
    const outcomes = await Promise.all(probed.map((one) => this.#probe(one, probe, { timeoutMs, signal })));
    const [first = NO_CONTAINER] = outcomes;
    return outcomes.find(({ healthy }) => !healthy) ?? first;
  }

  /** Why the application of one of them holds its lock. */
  async locked(containers: readonly InspectedContainer[]): Promise<string | undefined> {
    for (const container of containers) {
      const locked = await lockHeld(this.#dockerd, container, Date.now());
      if (locked !== undefined) return locked;
    }
    return undefined;
  }

  async leave(containers: readonly InspectedContainer[]): Promise<Leave> {
    const locked = await this.locked(containers);
    if (locked !== undefined) return { is: 'deferred', why: locked };
    for (const container of containers) {
      const leave = await runHookBefore(this.#docker, container).catch(unanswered);
      if (leave.is !== 'given') return leave;
    }
    return { is: 'given' };
  }

  async confirm(containers: readonly InspectedContainer[]): Promise<string | undefined> {
    for (const container of containers) {
      const why = await runHookAfter(this.#docker, container).catch(unanswered);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** Undefined where one of them does not tell. */
  async countInFlight(
    containers: readonly InspectedContainer[],
    { port, path }: InFlight,
    timeoutMs: number,
  ): Promise<number | undefined> {
    const counts = await Promise.all(
      containers.map(async (container) => {
        const host = await this.#address(container);
        return host === undefined ? undefined : askCount(host, port, path, timeoutMs);
      }),
    );
    const told = counts.filter((count) => count !== undefined);
    if (told.length === 0 || told.length < counts.length) return undefined;
    return told.reduce((sum, count) => sum + count, 0);
  }

  async #probe(
    { container, marked }: Probed,
    probe: Probe,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ProbeOutcome> {
    if (container === undefined) return NO_CONTAINER;
    if (marked.kind === 'swap' && marked.fresh === undefined)
      return { healthy: false, seen: 'the old one is all that there is', gone: true, ended: true };
    const down = notRunning(container);
    if (down !== undefined) return hasGoneBack(marked) ? { ...down, wentBack: true } : down;
    switch (probe.kind) {
      case 'automatic':
        return judgeAutomatically(container, Date.now());
      case 'docker':
        return judgeHealthcheck(container);
      case 'command':
        return probeCommand(this.#docker, container.Id, probe.command, signal);
      case 'http':
      case 'tcp': {
        const host = await this.#address(container);
        if (host === undefined) return { healthy: false, seen: 'the container has no address' };
        return probe.kind === 'tcp'
          ? probeTcp(host, probe.port, timeoutMs)
          : probeHttp(host, probe.port, probe.path, timeoutMs);
      }
      default:
        return unreachable(probe);
    }
  }

  async #address(container: InspectedContainer): Promise<string | undefined> {
    const address = addressOf(container);
    if (address === undefined || 'host' in address) return address?.host;
    const parent = await this.#dockerd.container(address.parent);
    const lent = parent === undefined ? undefined : addressOf(parent);
    return lent !== undefined && 'host' in lent ? lent.host : undefined;
  }
}

function unanswered(error: unknown): never {
  throw engineErrorOf(error, 'unavailable', 'could not run the hook');
}
