/** What holds of every value of the domain, by the names of its fields: units last, so that a name tells its bounds. */

import { DIGEST_PATTERN } from '@swell/shared/domain/image.ts';
import { isName } from '@swell/shared/domain/names.ts';
import { PART_PATTERN } from '@swell/shared/domain/unit.ts';

/** A month and a day: no policy can ask for more, and every timer can wait for it. */
const DURATION_MAX_MS = 31 * 86_400_000;

type Bound = (value: unknown) => boolean;

const whole =
  (min: number, max = Number.MAX_SAFE_INTEGER): Bound =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
const between =
  (min: number, max: number): Bound =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max;
const named: Bound = (value) => typeof value === 'string' && isName(value);
const namedIfText: Bound = (value) => typeof value !== 'string' || isName(value);

const digestsOrOne: Bound = (value) =>
  [value].flat().every((one) => typeof one === 'string' && DIGEST_PATTERN.test(one));

const BOUNDS: Readonly<Record<string, Bound>> = {
  cursor: between(0, 1),
  stageBelow: between(0, 1),
  percent: between(0, 100),
  slots: whole(1, 1_000_000),
  slot: whole(0),
  count: whole(0, 1_000_000),
  minSample: whole(1),
  port: whole(1, 65_535),
  term: whole(0),
  // At a slow rate a stage takes longer than any duration of a policy.
  openMs: whole(0),
  rollout: (value) => typeof value === 'object' || whole(0)(value),
  revision: whole(0),
  fence: whole(0),
  waveRevision: whole(0),
  digest: (value) => typeof value === 'string' && DIGEST_PATTERN.test(value),
  running: digestsOrOne,
  notRunning: digestsOrOne,
  region: named,
  node: named,
  service: namedIfText,
};

/** A moment of the bus's clock, not a length of time. */
const MOMENT = /^(?:since|at|expires|notBefore|waitsUntil|.*At)Ms$/;

/** Their keys are names of the fleet, which may sound like a field's, and what such a name may be. */
const BY_NAME: Readonly<Record<string, (name: string) => boolean>> = {
  ...Object.fromEntries(
    ['services', 'orders', 'regions', 'pace', 'containers'].map((field) => [field, isName]),
  ),
  // Judged where a policy is read.
  windows: () => true,
  ...Object.fromEntries(
    ['parts', 'images'].map((field) => [field, (name: string) => PART_PATTERN.test(name)]),
  ),
};

/** Throws where a value that was taken is out of bounds. */
export function isInBounds(value: unknown, path = ''): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${path} is ${value}`);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    const here = path === '' ? key : `${path}.${key}`;
    const holder = path.slice(path.lastIndexOf('.') + 1);
    const isNamed = Object.hasOwn(BY_NAME, holder) && !Array.isArray(value) ? BY_NAME[holder] : undefined;
    if (isNamed === undefined ? boundOf(key)?.(part) === false : !isNamed(key))
      throw new Error(`${here} is taken as ${JSON.stringify(part)}`);
    isInBounds(part, here);
  }
}

function boundOf(key: string): Bound | undefined {
  if (Object.hasOwn(BOUNDS, key)) return BOUNDS[key];
  return key.endsWith('Ms') && !MOMENT.test(key) ? between(0, DURATION_MAX_MS) : undefined;
}
