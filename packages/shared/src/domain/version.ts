/** Versions that can be told older from newer: those of semver.org, also with fewer numbers (`v18`, `1.2`). */

import semver from 'semver';

const SHORT = /^v?\d{1,15}(?:\.\d{1,15})?$/;

/** Below 0: `left` is the older one. Undefined: one of them is no version. */
export function compareVersions(left: string, right: string): number | undefined {
  const [a, b] = [parseVersion(left), parseVersion(right)];
  return a === null || b === null ? undefined : semver.compare(a, b);
}

/** Is it one of these, by name or within a range (`>=1.4 <2`)? */
export function isVersionIn(version: string, wanted: readonly string[]): boolean {
  const parsed = parseVersion(version);
  return wanted.some(
    (one) =>
      one === version || (parsed !== null && semver.satisfies(parsed, one, { includePrerelease: true })),
  );
}

/** Does it say what it seems to? What has a range's signs and is none (`>=1.4,<2`) would mean a version of that name. */
export function isVersionOrRange(text: string): boolean {
  return !/[<>=~^|*,]/.test(text) || semver.validRange(text) !== null;
}

/** Can it be told older from newer? */
export function isVersion(text: string): boolean {
  return parseVersion(text) !== null;
}

function parseVersion(text: string): semver.SemVer | null {
  return SHORT.test(text) ? semver.coerce(text) : semver.parse(text);
}
