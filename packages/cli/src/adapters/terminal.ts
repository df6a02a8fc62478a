/** Where the command appears: a picture that is drawn over itself on a terminal, plain lines anywhere else. */

import type { WriteStream } from 'node:tty';
import { clipped, paint, type Row } from '../core/rows.ts';

export interface Screen extends Disposable {
  readonly isLive: boolean;
  /** Lines that stay. */
  say(rows: readonly Row[]): void;
  /** The picture as it is now: on a terminal in the place of the last one; elsewhere nothing is drawn. */
  draw(rows: readonly Row[]): void;
}

export function openScreen(out: NodeJS.WriteStream): Screen {
  return out.isTTY && process.env['TERM'] !== 'dumb' ? new LiveScreen(out) : new PlainScreen(out);
}

const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';

class LiveScreen implements Screen {
  readonly isLive = true;
  readonly #out: WriteStream;
  readonly #coloured = !process.env['NO_COLOR'];
  #drawn = 0;
  #isCursorHidden = false;

  constructor(out: WriteStream) {
    this.#out = out;
    // However this process ends, the terminal gets its cursor back.
    process.once('exit', this.#showCursor);
  }

  say(rows: readonly Row[]): void {
    const lines = rows.map((one) => `${paint(one, this.#coloured)}\n`);
    this.#out.write(`${this.#up()}${lines.join('')}`);
    this.#drawn = 0;
  }

  draw(rows: readonly Row[]): void {
    const { columns, rows: height } = this.#out;
    // Each line ends what was there before it: nothing is cleared first, so nothing flickers.
    const lines = rows
      .slice(0, Math.max(1, (height || 24) - 1))
      .map((one) => `${paint(clipped(one, columns || 80), this.#coloured)}\u001B[K\n`);
    const up = this.#drawn === 0 ? '' : `\u001B[${this.#drawn}F`;
    this.#out.write(`${this.#isCursorHidden ? '' : HIDE_CURSOR}${up}${lines.join('')}\u001B[J`);
    this.#isCursorHidden = true;
    this.#drawn = lines.length;
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }

  #up(): string {
    return this.#drawn === 0 ? '' : `\u001B[${this.#drawn}F\u001B[J`;
  }

  readonly #showCursor = (): void => {
    if (this.#isCursorHidden) this.#out.write(SHOW_CURSOR);
    this.#isCursorHidden = false;
  };
}

class PlainScreen implements Screen {
  readonly isLive = false;
  readonly #out: NodeJS.WritableStream;

  constructor(out: NodeJS.WritableStream) {
    this.#out = out;
  }

  say(rows: readonly Row[]): void {
    for (const one of rows) this.#out.write(`${paint(one, false)}\n`);
  }

  draw(): void {}

  [Symbol.dispose](): void {}
}
