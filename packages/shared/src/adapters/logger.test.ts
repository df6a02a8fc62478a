import { expect, test } from 'vitest';
import { createLogger, type LogLevel } from './logger.ts';

function written(level: LogLevel, say: (logger: ReturnType<typeof createLogger>) => void) {
  const lines: string[] = [];
  say(createLogger({ name: 'agent', level, destination: { write: (line) => lines.push(line) } }));
  return lines.map((line) => {
    const fields: Record<string, unknown> = JSON.parse(line);
    return fields;
  });
}

test('a line says its level in a word and its time in ISO', () => {
  const [line] = written('info', (logger) => logger.info({ service: 'web' }, 'wave obeyed'));
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
    pid: process.pid,
    hostname: expect.any(String) as unknown,
    name: 'agent',
    service: 'web',
    msg: 'wave obeyed',
  });
});

test('a secret is not written, not at the top of a line and not one record deeper', () => {
  const lines = written('info', (logger) => {
    logger.info({ password: 'hunter2', registry: { token: 'hunter2', host: 'a' } }, 'logging in');
  });
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  expect(lines[0]).toMatchObject({
    password: '[not logged]',
    registry: { token: '[not logged]', host: 'a' },
  });
});

test('below its level a logger says nothing', () => {
  const say = (logger: ReturnType<typeof createLogger>) => {
    logger.debug('d');
    logger.warn('w');
  };
  expect(written('warn', say).map((line) => line.msg)).toEqual(['w']);
  expect(written('silent', say)).toEqual([]);
});
