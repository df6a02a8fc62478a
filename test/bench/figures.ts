/** What every benchmark does with its figures. */

/** The middle one; of an even number, between the two middle ones. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('of nothing there is no median');
  return (low + high) / 2;
}

export function rounded(figure: number, places: number): number {
  return Number(figure.toFixed(places));
}

/** How one figure stands to another; `undefined` where either is missing. */
export function ratio(of: number | undefined, to: number | undefined): number | undefined {
  return of === undefined || to === undefined ? undefined : rounded(of / to, 3);
}

/** A whole number behind an option; throws with one sentence where it is none, or out of bounds. */
export function wholeNumber(option: string, given: string, min: number, max: number): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < min || number > max)
    throw new Error(`${option} takes a whole number from ${min} to ${max}, not "${given}"`);
  return number;
}

/** The last line, for programs; what was said before it went to stderr. */
export function tell(result: object, json: boolean, describe: () => string): void {
  console.log(json ? JSON.stringify(result) : describe());
}
