/** What every command is, and what it is given. */

import type { ParseArgsOptionsConfig } from 'node:util';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { isName, type ServiceName } from '@swell/shared/domain/names.ts';
import { parseDurationMs } from '@swell/shared/kernel/units.ts';
import type { Screen } from '../adapters/terminal.ts';
import type { Row } from '../core/rows.ts';
import type { ExitCode } from '../core/status.ts';
import type { Values } from './connection.ts';
import { UsageError } from './usage.ts';

export interface Command {
  readonly name: string;
  /** Behind the name: `<service> <image>`. */
  readonly usage: string;
  readonly about: string;
  /** Beyond those that every command takes. */
  readonly options: ParseArgsOptionsConfig;
  readonly run: (context: Context) => Promise<ExitCode>;
}

export interface Context {
  readonly args: readonly string[];
  readonly values: Values;
  readonly environment: NodeJS.ProcessEnv;
  readonly screen: Screen;
  readonly json: boolean;
  /** Aborts when somebody ends the command. */
  readonly signal: AbortSignal;
  /** Connects, once; closed when the command ends. */
  readonly connect: () => Promise<NatsBus>;
  /** What the command found: one object for scripts, or rows for people. */
  readonly print: (result: object, rows: readonly Row[]) => void;
}

export function serviceOf(text: string | undefined): ServiceName {
  if (text === undefined) throw new UsageError('<service> is missing: name one');
  if (isName(text)) return text;
  throw new UsageError(`"${text}" is no service: 1 to 63 letters, digits, "-" or "_"`);
}

/** The arguments of a command that takes no more than so many. */
export function atMost(count: number, args: readonly string[]): readonly string[] {
  const extra = args[count];
  if (extra === undefined) return args;
  throw new UsageError(`"${extra}" is one argument too many: quote what has spaces in it`);
}

export function textOf(values: Values, option: string): string | undefined {
  const value = values[option];
  return typeof value === 'string' ? value : undefined;
}

/** What a timer of the platform can wait for. */
const WAIT_MAX_MS = 24 * 86_400_000;

export function durationOf(values: Values, option: string): number | undefined {
  const text = textOf(values, option);
  if (text === undefined) return undefined;
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms <= WAIT_MAX_MS) return ms;
  throw new UsageError(
    `--${option}: "${text}" is no duration of at most 24 days: write "30s", "10m" or "1h30m"`,
  );
}

export function rolloutOf(values: Values): number | undefined {
  const text = textOf(values, 'rollout');
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`--rollout: "${text}" is no number of a rollout: swell history <service> shows them`);
}
