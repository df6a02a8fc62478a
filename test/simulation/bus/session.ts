/** One TCP connection; a client that reconnects has another. */

import type { Process } from '../process.ts';
import type { VirtualTime } from '../time.ts';
import type { Pipe } from './pipe.ts';

/** A client that is stopped answers no pings: the server gives it up. */
const STOPPED_MAX_MS = 240_000;
/** The server cuts who does not read what is said. */
const UNREAD_MAX = 50_000;

export interface SessionGround {
  readonly time: VirtualTime;
  readonly process: Process;
  readonly up: Pipe;
  readonly down: Pipe;
  /** Breaks the connection, so that the client learns of it. */
  readonly cut: () => void;
}

export class Session {
  readonly #ground: SessionGround;
  /** What the server forgets with the session. */
  readonly onClosed = new Set<() => void>();
  #isOpen = true;
  #stoppedAtMs: number | undefined;

  constructor(ground: SessionGround) {
    this.#ground = ground;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get up(): Pipe {
    return this.#ground.up;
  }

  get down(): Pipe {
    return this.#ground.down;
  }

  /** The program says something to the server. */
  ask(arrive: () => void): void {
    this.up.send(arrive);
  }

  /** The server says something to the program. */
  say(hear: () => void): void {
    const { time, process, cut } = this.#ground;
    if (!process.isAlive) {
      // What it said before it died still arrives.
      this.close(this.up.length);
      return;
    }
    this.#stoppedAtMs = process.isPaused ? (this.#stoppedAtMs ?? time.nowMs) : undefined;
    const isStale = this.#stoppedAtMs !== undefined && time.nowMs - this.#stoppedAtMs > STOPPED_MAX_MS;
    if (isStale || this.down.length > UNREAD_MAX) cut();
    else this.down.send(() => process.enter(hear));
  }

  /** Over. Of what the client has said last, the first `arriving` words still come to the server. */
  close(arriving: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.up.close(arriving);
    this.down.close(0);
    for (const forget of this.onClosed) forget();
    this.onClosed.clear();
  }
}
