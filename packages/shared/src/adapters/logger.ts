import { type DestinationStream, type Level, type Logger, pino } from 'pino';

export type { DestinationStream, Logger } from 'pino';
export type LogLevel = Level | 'silent';

export interface LoggerOptions {
  /** The program: `coordinator`, `agent`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Standard output where it is missing. */
  readonly destination?: DestinationStream;
}

/** Fields that are never written, whoever puts them into a line, at its top or one record deeper. */
const SECRET_FIELDS = [
  'auth',
  'authorization',
  'Authorization',
  'credentials',
  'identitytoken',
  'pass',
  'password',
  'secret',
  'token',
];

/**
 * The one place where a logger is made: one JSON object a line, level by its word, time as people and log stores read
 * it. Written synchronously, so that the last line before a crash is there.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      name: options.name,
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map((field) => `*.${field}`)],
        censor: '[not logged]',
      },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
