/** The two real programs as processes: started with an environment, read by their log lines, stopped, killed, frozen. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { createInterface } from 'node:readline';
import { compiled, root } from '../../scripts/setup/places.ts';

export interface ProgramOptions {
  readonly program: 'coordinator' | 'agent';
  /** Another beginning than the program's own `main.ts`: a file of this repository, or a bundle anywhere. */
  readonly entry?: string;
  /** Of Node. */
  readonly flags?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where its log goes, appended. */
  readonly logFile: string;
}

/** One line of a program's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: LogLine[] = [];
  readonly #watchers = new Set<() => void>();
  readonly ended: Promise<number | null>;
  /** Somebody of the test or the demo has ended it, or was about to. */
  #isMeant = false;
  readonly logFile: string;

  constructor({ program, entry, flags = [], environment, logFile }: ProgramOptions) {
    this.logFile = logFile;
    this.#child = spawn(
      process.execPath,
      [...flags, resolvePath(root, entry ?? `packages/${program}/src/main.ts`)],
      {
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          DOCKER_HOST: process.env['DOCKER_HOST'],
          NODE_COMPILE_CACHE: compiled,
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const log = createWriteStream(logFile, { flags: 'a' });
    this.#child.stderr?.pipe(log);
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        log.write(`${line}\n`);
        this.#hear(line);
      });
    }
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
    void this.ended.then(() => this.#wake());
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** It is gone, and nobody asked it to go. */
  get hasFailed(): boolean {
    return !this.isRunning && !this.#isMeant;
  }

  /** Resolves with the first line, already there or still to come, that fits; rejects when the program ends without. */
  async line(fits: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    for (let next = from; ; ) {
      const found = this.#lines.slice(next).find(fits);
      if (found !== undefined) return found;
      next = this.#lines.length;
      if (!this.isRunning)
        throw new Error(`the program ended before it said that; its log is ${this.logFile}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
      this.#watchers.clear();
    }
  }

  /** Has it said such a line so far? */
  has(fits: (line: LogLine) => boolean): boolean {
    return this.#lines.some(fits);
  }

  /** All that it has said so far. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** How many lines it has said: what {@link line} may start from. */
  get said(): number {
    return this.#lines.length;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.#isMeant = true;
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** In order: it is given the time that it needs. Returns its exit code. */
  async stop(): Promise<number | null> {
    this.#isMeant = true;
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.kill();
  }

  #hear(line: string): void {
    try {
      this.#lines.push(JSON.parse(line) as LogLine);
    } catch {
      this.#lines.push({ msg: line });
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#watchers) wake();
  }
}
