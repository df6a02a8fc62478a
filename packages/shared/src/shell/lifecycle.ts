import { constants } from 'node:os';

/** What a program's life needs of a logger. */
export interface LifecycleLogger {
  info(fields: object, text: string): void;
  fatal(fields: object, text: string): void;
}

type StopSignal = 'SIGTERM' | 'SIGINT';

/**
 * Runs a program until it ends or is told to: the first SIGTERM or SIGINT aborts the one signal that everything waits
 * by, a second one ends the process at once. An error that nobody caught ends it too: what is remembered is on disk and
 * on the bus, and starting anew from there is the tested way; going on in an unknown state is not.
 *
 * @returns the exit code: 0 after an end in order, 1 where `main` failed
 */
export async function runUntilSignal(
  main: (signal: AbortSignal) => Promise<void>,
  logger: LifecycleLogger,
): Promise<number> {
  const controller = new AbortController();
  const onSignal = (name: StopSignal) => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    logger.info({ signal: name }, 'stopping');
    controller.abort();
  };
  const onUncaught = (error: unknown) => {
    logger.fatal({ err: error }, 'uncaught error');
    process.exit(1);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  try {
    await main(controller.signal);
    return 0;
  } catch (error) {
    // Whoever waits by the signal ends by throwing its reason: that is an end in order.
    if (controller.signal.aborted && isAbort(error)) return 0;
    logger.fatal({ err: error }, 'failed');
    return 1;
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('uncaughtException', onUncaught);
    process.off('unhandledRejection', onUncaught);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
