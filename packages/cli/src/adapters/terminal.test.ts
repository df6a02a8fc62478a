import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { row } from '../core/rows.ts';
import { openScreen } from './terminal.ts';

/** A terminal of so many columns and rows, or a pipe; what was written to it. */
function output(isTTY: boolean) {
  const out = Object.assign(new PassThrough(), { isTTY, columns: 20, rows: 4 });
  const read = (): string => String(out.read() ?? '');
  return { out: out as unknown as NodeJS.WriteStream, read };
}

beforeEach(() => {
  vi.stubEnv('TERM', 'xterm');
  vi.stubEnv('NO_COLOR', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('on a terminal', () => {
  it('each picture is drawn over the last one, and what is said stays in its place', () => {
    const { out, read } = output(true);
    const screen = openScreen(out);
    expect(screen.isLive).toBe(true);
    screen.draw([row('one'), row('two')]);
    expect(read()).toBe('\u001B[?25lone\u001B[K\ntwo\u001B[K\n\u001B[J');
    screen.draw([row('three')]);
    expect(read()).toBe('\u001B[2Fthree\u001B[K\n\u001B[J');
    screen.say([row('the end', 'good')]);
    screen[Symbol.dispose]();
    expect(read()).toBe('\u001B[1F\u001B[J\u001B[32mthe end\u001B[0m\n\u001B[?25h');
  });

  it('a picture never scrolls the screen, and no line of it is wrapped', () => {
    const { out, read } = output(true);
    using screen = openScreen(out);
    screen.draw(['a', 'b', 'c', 'd', 'e'].map((text) => row(text.repeat(30))));
    const shown = ['a', 'b', 'c'].map((text) => `${text.repeat(20)}\u001B[K\n`).join('');
    expect(read()).toBe(`\u001B[?25l${shown}\u001B[J`);
  });

  it('where nothing was drawn the cursor is left alone', () => {
    const { out, read } = output(true);
    const screen = openScreen(out);
    screen.say([row('done')]);
    screen[Symbol.dispose]();
    expect(read()).toBe('done\n');
  });
});

describe('in a pipe', () => {
  it('lines are plain, and no picture is drawn', () => {
    const { out, read } = output(false);
    using screen = openScreen(out);
    expect(screen.isLive).toBe(false);
    screen.draw([row('picture')]);
    screen.say([row('line', 'bad')]);
    expect(read()).toBe('line\n');
  });
});
