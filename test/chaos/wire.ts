/**
 * How an agent's process reaches the machines of its nodes: one connection of a Unix socket for each, one JSON object a
 * line. The machine lives in another process, so that it outlives the agent as dockerd does.
 */

import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Engine, EngineErrorCode } from '@swell/agent/adapters/engine.ts';

/** What is asked of a machine: a method of its engine. */
export type Asked = Exclude<keyof Engine, 'kind' | 'changes' | symbol>;

/** The first line of a connection. */
export interface Hello {
  readonly node: string;
}

export interface Question {
  readonly id: number;
  readonly asked: Asked;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly value?: unknown }
  | { readonly id: number; readonly failed: { readonly code: EngineErrorCode; readonly message: string } }
  | { readonly touched: string };

export function writeLine(socket: Socket, line: Hello | Question | Answer): void {
  if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
}

/** Calls back with each line, in order. */
export function readLines(socket: Socket, hear: (line: unknown) => void): void {
  const lines = createInterface({ input: socket }).on('line', (line) => hear(JSON.parse(line)));
  // Whoever was killed leaves a connection that is reset: the socket's own end tells of it.
  lines.on('error', () => {});
}
