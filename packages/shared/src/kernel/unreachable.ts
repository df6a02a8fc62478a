/** Closes a switch over a union: the compiler refuses a missing case, and a value that lied about its type crashes. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
