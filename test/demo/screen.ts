/** Where the demo appears: a picture that is drawn over itself on a terminal, plain lines anywhere else. */

import type { WriteStream } from 'node:tty';
import { drawFrame, type Row, seconds } from './frame.ts';
import { paint } from './paint.ts';
import type { View } from './view.ts';

export interface Screen extends Disposable {
  say(...rows: readonly Row[]): void;
  /** Shows a view as it changes, until {@link Screen.rest}. */
  watch(read: () => View, sinceMs: number): void;
  /** The view has changed. */
  touched(): void;
  /** What was shown last stays. */
  rest(): void;
}

export function openScreen(out: NodeJS.WriteStream): Screen {
  return out.isTTY && process.env['TERM'] !== 'dumb' ? new LiveScreen(out) : new PlainScreen(out);
}

const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
const DRAW_EVERY_MS = 100;
const STORY_ROWS_MAX = 8;
/** What a frame has besides its story and its regions: headline, legend and what stands between. */
const OTHER_ROWS = 6;

class LiveScreen implements Screen {
  readonly #out: WriteStream;
  readonly #coloured = !process.env['NO_COLOR'];
  #drawn = 0;
  #watched: { readonly read: () => View; readonly sinceMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: WriteStream) {
    this.#out = out;
    out.on('resize', this.#onResize);
    // However this process ends, the terminal gets its cursor back.
    process.once('exit', this.#showCursor);
  }

  say(...rows: readonly Row[]): void {
    const lines = rows.map((row) => paint(row, this.#coloured));
    this.#out.write(`${this.#erase()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#draw();
  }

  watch(read: () => View, sinceMs: number): void {
    this.rest();
    this.#watched = { read, sinceMs };
    this.#out.write(HIDE_CURSOR);
    this.#draw();
    // Also where nothing happens: the seconds run, and what is under way turns.
    this.#timer = setInterval(() => this.#draw(), DRAW_EVERY_MS);
  }

  touched(): void {}

  rest(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#watched = undefined;
    this.#drawn = 0;
    this.#showCursor();
  }

  [Symbol.dispose](): void {
    this.rest();
    this.#out.off('resize', this.#onResize);
    process.off('exit', this.#showCursor);
  }

  #draw(): void {
    if (this.#watched === undefined) return;
    const { read, sinceMs } = this.#watched;
    // A terminal of no size, as some that programs open have, is taken for one of the usual size.
    const columns = this.#out.columns || 80;
    const rows = this.#out.rows || 24;
    const view = read();
    const room = rows - OTHER_ROWS - view.regions.length - 1;
    const frame = drawFrame(view, {
      columns,
      sinceMs,
      nowMs: Date.now(),
      storyRows: Math.max(0, Math.min(STORY_ROWS_MAX, room)),
    }).slice(0, rows - 1);
    // Each line ends what was there before it: nothing is cleared first, so nothing flickers.
    const lines = frame.map((row) => `${paint(row, this.#coloured)}\u001B[K\n`);
    this.#out.write(`${this.#up()}${lines.join('')}\u001B[J`);
    this.#drawn = lines.length;
  }

  #up(): string {
    return this.#drawn === 0 ? '' : `\u001B[${this.#drawn}F`;
  }

  #erase(): string {
    const up = this.#up();
    this.#drawn = 0;
    return up === '' ? '' : `${up}\u001B[J`;
  }

  readonly #showCursor = (): void => {
    this.#out.write(SHOW_CURSOR);
  };

  /** Lines that were wrapped anew cannot be counted: the picture starts over on an empty screen. */
  readonly #onResize = (): void => {
    if (this.#watched === undefined) return;
    this.#drawn = 0;
    this.#out.write('\u001B[H\u001B[2J');
    this.#draw();
  };
}

class PlainScreen implements Screen {
  readonly #out: NodeJS.WritableStream;
  #watched: { readonly read: () => View; readonly sinceMs: number } | undefined;
  #told = 0;

  constructor(out: NodeJS.WritableStream) {
    this.#out = out;
  }

  say(...rows: readonly Row[]): void {
    for (const row of rows) this.#out.write(`${paint(row, false)}\n`);
  }

  watch(read: () => View, sinceMs: number): void {
    this.rest();
    this.#watched = { read, sinceMs };
    this.#told = 0;
    this.touched();
  }

  touched(): void {
    if (this.#watched === undefined) return;
    const { read, sinceMs } = this.#watched;
    const { story } = read();
    for (const { atMs, text } of story.slice(this.#told)) {
      this.#out.write(`${seconds(atMs - sinceMs)}  ${text}\n`);
    }
    this.#told = story.length;
  }

  rest(): void {
    this.touched();
    this.#watched = undefined;
  }

  [Symbol.dispose](): void {
    this.rest();
  }
}
