/** The storm's processes. Each is signalled by its own id, and its output goes into a file. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Place } from './network.ts';

export interface ChildOptions {
  readonly place: Place;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Appended to. */
  readonly logFile: string;
}

/** A program that lives at its place: killed and started again, frozen and thawed. What it keeps on disk stays. */
export class Resident implements AsyncDisposable {
  readonly name: string;
  readonly #options: ChildOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #isMeant = false;

  constructor(name: string, options: ChildOptions) {
    this.name = name;
    this.#options = options;
  }

  get place(): Place {
    return this.#options.place;
  }

  get logFile(): string {
    return this.#options.logFile;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** It is gone, and nobody asked it to go. */
  get hasFailed(): boolean {
    return this.#child !== undefined && !this.isRunning && !this.#isMeant;
  }

  /** Where it runs already, nothing. */
  start(): void {
    if (this.isRunning) return;
    const { place, command, environment, logFile } = this.#options;
    const [file = '', ...args] = [...place.entry, ...command];
    const log = openSync(logFile, 'a');
    this.#child = spawn(file, args, {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#isMeant = false;
    this.#ended = once(this.#child, 'exit');
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.#isMeant = true;
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
