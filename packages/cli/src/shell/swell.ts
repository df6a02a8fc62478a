/** From words to a command, and from what came of it to an exit code. */

import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { BusError } from '@swell/shared/adapters/bus.ts';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { printable } from '@swell/shared/kernel/printable.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { openScreen } from '../adapters/terminal.ts';
import { EXIT } from '../core/status.ts';
import type { Command, Context } from './command.ts';
import { COMMANDS } from './commands.ts';
import { CONNECTION_OPTIONS, readConnection } from './connection.ts';
import { CONNECTION_USAGE, TooLateError, UsageError } from './usage.ts';

/** Runs one command to its end; returns the exit code. */
export async function runSwell(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(`${usage()}\n`);
    return name === undefined ? EXIT.failed : EXIT.done;
  }
  if (name === '--version') {
    process.stdout.write(`swell ${VERSION}\n`);
    return EXIT.done;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) {
    complain(`there is no command "${name}": swell help lists them`);
    return EXIT.failed;
  }
  const interrupted = new AbortController();
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => interrupted.abort(signal);
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    return await runCommand(command, rest, environment, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted)
      return 128 + constants.signals[interrupted.signal.reason as 'SIGINT' | 'SIGTERM'];
    return explainFailure(command, error);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function runCommand(
  command: Command,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const { values, positionals } = parse(command, words);
  if (values['help'] === true) {
    process.stdout.write(`${usageOf(command)}\n\n${command.about}.\n\n${CONNECTION_USAGE}\n`);
    return EXIT.done;
  }
  const json = values['json'] === true;
  await using stack = new AsyncDisposableStack();
  const screen = stack.use(openScreen(process.stdout));
  let bus: NatsBus | undefined;
  const connect: Context['connect'] = async () => {
    bus ??= stack.use(await connectNats({ ...readConnection(values, environment), signal }));
    return bus;
  };
  const print: Context['print'] = (result, rows) => {
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else screen.say(rows);
  };
  return await command.run({ args: positionals, values, environment, screen, json, signal, connect, print });
}

function parse(command: Command, words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        ...CONNECTION_OPTIONS,
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        ...command.options,
      },
    }) as { readonly values: Context['values']; readonly positionals: string[] };
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function explainFailure(command: Command, error: unknown): number {
  if (error instanceof UsageError) {
    complain(`${error.message}\n${usageOf(command)}`);
    return EXIT.failed;
  }
  if (error instanceof TooLateError) {
    complain(error.message);
    return EXIT.timedOut;
  }
  complain(`${(error as Error).message}${error instanceof BusError ? remedyOf(error) : ''}`);
  return EXIT.failed;
}

function remedyOf({ code }: BusError): string {
  switch (code) {
    case 'unavailable':
      return '\nIs the server there, and has a coordinator made the streams? --server says where, swell doctor what is missing.';
    case 'refused':
      return '\nThe server says no: --creds, --nkey, --user or --token say who you are; its permissions what you may.';
    case 'unknown-outcome':
    case 'conflict':
      return '';
  }
}

/** Line by line, whatever it quotes. */
function complain(text: string): void {
  process.stderr.write(`swell: ${text.split('\n').map(printable).join('\n')}\n`);
}

function usageOf({ name, usage: words }: Command): string {
  return `usage: swell ${name} ${words}`.trimEnd();
}

function usage(): string {
  const lines = COMMANDS.map(
    ({ name, usage: words, about }) => `  swell ${name} ${words}`.trimEnd() + `\n      ${about}`,
  );
  return `Releases container images to a fleet, wave by wave (Swell ${VERSION}).\n\n${lines.join('\n')}\n\n${CONNECTION_USAGE}`;
}
