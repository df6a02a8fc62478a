/**
 * What a command was asked for; undefined: it was asked for help, which is printed, or for what it does not know, which
 * is said with exit code 2.
 */
export function wantedOptions<Options>(
  read: (args: readonly string[]) => Options | 'help',
  usage: string,
): Options | undefined {
  try {
    const options = read(process.argv.slice(2));
    if (options !== 'help') return options;
    console.log(usage);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
  }
  return undefined;
}
