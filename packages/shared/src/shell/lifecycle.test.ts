import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

/** A program of its own: signals and uncaught errors belong to a process. It says `up` once `main` runs. */
function program(main: string) {
  const script = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { runUntilSignal } from ${JSON.stringify(new URL('./lifecycle.ts', import.meta.url).href)};
    const say = (line) => process.stdout.write(line + '\\n');
    const logger = {
      info: (fields, text) => say('info ' + text + ' ' + JSON.stringify(fields)),
      fatal: (fields, text) => say('fatal ' + text + ': ' + fields.err.message),
    };
    const code = await runUntilSignal(async (signal) => {
      process.nextTick(() => say('up'));
      ${main}
    }, logger);
    say('code ' + code);
    process.exitCode = code;
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const heard = (wanted: string) =>
    new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        if (line.startsWith(wanted)) resolve();
      });
    });
  lines.on('line', (line) => said.push(line));
  return { child, said, heard };
}

async function exit(child: ChildProcess): Promise<unknown> {
  return (await once(child, 'close'))[0];
}

test('SIGTERM lets the program finish in order', async () => {
  const { child, said, heard } = program(`
    await sleep(60_000, undefined, { signal }).catch(() => {});
    say('closed');
  `);
  const ended = exit(child);
  await heard('up');
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(said).toEqual(['up', 'info stopping {"signal":"SIGTERM"}', 'closed', 'code 0']);
});

test('an abort that is thrown all the way up is an end in order', async () => {
  const { child, said, heard } = program('await sleep(60_000, undefined, { signal });');
  const ended = exit(child);
  await heard('up');
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(said).toEqual(['up', 'info stopping {"signal":"SIGINT"}', 'code 0']);
});

test('a second signal during the shutdown exits at once', async () => {
  const { child, said, heard } = program('await sleep(60_000);');
  const ended = exit(child);
  await heard('up');
  const stopping = heard('info stopping');
  child.kill('SIGTERM');
  await stopping;
  child.kill('SIGTERM');
  expect(await ended).toBe(143);
  expect(said).toEqual(['up', 'info stopping {"signal":"SIGTERM"}']);
});

test('a failing program says why and exits with 1', async () => {
  const { child, said } = program("await sleep(0); throw new Error('no bus');");
  expect(await exit(child)).toBe(1);
  expect(said).toEqual(['up', 'fatal failed: no bus', 'code 1']);
});

test('a failure during the shutdown is a failure', async () => {
  const { child, said, heard } = program(`
    await sleep(60_000, undefined, { signal }).catch(() => {});
    throw new Error('state not saved');
  `);
  const ended = exit(child);
  await heard('up');
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  expect(said.slice(1)).toEqual([
    'info stopping {"signal":"SIGTERM"}',
    'fatal failed: state not saved',
    'code 1',
  ]);
});

test.each([
  ['thrown in a callback', "setTimeout(() => { throw new Error('lost'); }, 0);"],
  ['in a promise that nobody awaits', "void Promise.reject(new Error('lost'));"],
])('an error %s is logged and ends the program', async (_, cause) => {
  const { child, said } = program(`${cause} await sleep(60_000);`);
  expect(await exit(child)).toBe(1);
  expect(said.at(-1)).toBe('fatal uncaught error: lost');
});

test('a program that ends by itself exits with 0', async () => {
  const { child, said } = program('await sleep(0);');
  expect(await exit(child)).toBe(0);
  expect(said).toEqual(['up', 'code 0']);
});
