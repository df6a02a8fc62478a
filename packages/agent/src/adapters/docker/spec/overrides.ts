/**
 * A container's configuration is its image's with the operator's wishes over it, and Docker shows only the sum. Here the
 * sum is taken apart, so that the wishes can be laid over another image:
 *
 *     overlay(overridesOf(config, image), image) equals config
 *
 * One thing cannot be told from the sum: a wish that says what the image says anyway. It counts as the image's.
 */

import { sameValue } from '@swell/shared/kernel/equal.ts';
import type { ContainerConfig, Healthcheck } from '../inspected.ts';

/** `null`, an empty text, list or record: to Docker's `create`, all of them mean "as the image has it". */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** A container's configuration minus what came from its image: what `create` must be told. */
export function overridesOf(config: ContainerConfig, image: ContainerConfig): ContainerConfig {
  const { Entrypoint: _e, Cmd: _c, Healthcheck: _h, Image: _i, OnBuild: _o, ...rest } = config;
  const overrides = {
    ...rest,
    Env: environmentOverrides(config.Env ?? [], image.Env ?? []),
    Labels: without(config.Labels, image.Labels),
    Volumes: without(config.Volumes, image.Volumes),
    ExposedPorts: without(config.ExposedPorts, image.ExposedPorts),
    User: unless(config.User, image.User),
    WorkingDir: unless(config.WorkingDir, image.WorkingDir),
    StopSignal: unless(config.StopSignal, image.StopSignal),
    Shell: unless(config.Shell, image.Shell),
    ...commandOverrides(config, image),
    Healthcheck: healthcheckOverrides(config.Healthcheck, image.Healthcheck),
  };
  return { ...withoutBlanks(overrides), ...(overrides.Entrypoint?.length === 0 && { Entrypoint: [] }) };
}

/** What Docker makes of overrides and an image, as its `create` merges them. */
export function overlay(overrides: ContainerConfig, image: ContainerConfig): ContainerConfig {
  return withoutBlanks({
    ...overrides,
    Env: [...(overrides.Env ?? []), ...inherited(overrides.Env ?? [], image.Env ?? [])],
    Labels: { ...image.Labels, ...overrides.Labels },
    Volumes: { ...overrides.Volumes, ...image.Volumes },
    ExposedPorts: { ...image.ExposedPorts, ...overrides.ExposedPorts },
    User: isBlank(overrides.User) ? image.User : overrides.User,
    WorkingDir: isBlank(overrides.WorkingDir) ? image.WorkingDir : overrides.WorkingDir,
    StopSignal: isBlank(overrides.StopSignal) ? image.StopSignal : overrides.StopSignal,
    ...overlaidCommand(overrides, image),
    Healthcheck: overlaidHealthcheck(overrides.Healthcheck, image.Healthcheck),
  });
}

/**
 * Docker lists what somebody gave first, and after it what is left of the image's: so a variable that was given as the
 * image has it can be told, too. Where the list can be cut in several places, the image gets the most.
 */
function environmentOverrides(env: readonly string[], image: readonly string[]): readonly string[] {
  for (let length = 0; length <= env.length; length += 1) {
    const given = env.slice(0, length);
    if (sameValue(env.slice(length), inherited(given, image))) return given;
  }
  return env.filter((entry) => !image.includes(entry));
}

/** What comes from the image once these are given: each variable that is not among them, the first of each name. */
function inherited(given: readonly string[], image: readonly string[]): readonly string[] {
  const names = new Set(given.map(keyOf));
  return image.filter((entry) => {
    const isNew = !names.has(keyOf(entry));
    names.add(keyOf(entry));
    return isNew;
  });
}

function commandOverrides(config: ContainerConfig, image: ContainerConfig): ContainerConfig {
  const sameEntrypoint = sameValue(config.Entrypoint ?? [], image.Entrypoint ?? []);
  if (sameEntrypoint && sameValue(config.Cmd ?? [], image.Cmd ?? [])) return {};
  if (sameEntrypoint && !isBlank(config.Cmd)) return { Cmd: config.Cmd ?? [] };
  // An emptied list (Compose's `entrypoint: []`) leaves the image's Cmd in place; a blank word (the CLI's) does not.
  if (config.Entrypoint?.length === 0) {
    return {
      Entrypoint: [],
      ...(!sameValue(config.Cmd ?? [], image.Cmd ?? []) && { Cmd: config.Cmd ?? [] }),
    };
  }
  // The image's Cmd comes back unless an Entrypoint is sent, and its Entrypoint unless the one sent is a blank word.
  const entrypoint = isBlank(config.Entrypoint) ? [''] : (config.Entrypoint ?? []);
  return { Entrypoint: entrypoint, Cmd: config.Cmd ?? [] };
}

function overlaidCommand(overrides: ContainerConfig, image: ContainerConfig): ContainerConfig {
  if (isBlank(overrides.Entrypoint)) {
    return {
      Entrypoint: overrides.Entrypoint ?? image.Entrypoint ?? [],
      Cmd: (isBlank(overrides.Cmd) ? image.Cmd : overrides.Cmd) ?? [],
    };
  }
  const emptied = sameValue(overrides.Entrypoint, ['']);
  return { Entrypoint: emptied ? [] : (overrides.Entrypoint ?? []), Cmd: overrides.Cmd ?? [] };
}

const HEALTHCHECK_FIELDS = [
  'Test',
  'Interval',
  'Timeout',
  'StartPeriod',
  'StartInterval',
  'Retries',
] as const;

function healthcheckOverrides(own?: Healthcheck | null, image?: Healthcheck | null): Healthcheck | undefined {
  if (isBlank(own)) return isBlank(image) ? undefined : { Test: ['NONE'] };
  const changed = HEALTHCHECK_FIELDS.filter((field) => !sameValue(own?.[field], image?.[field]));
  return Object.fromEntries(changed.map((field) => [field, own?.[field]]));
}

function overlaidHealthcheck(own?: Healthcheck | null, image?: Healthcheck | null): Healthcheck | undefined {
  const fields = HEALTHCHECK_FIELDS.map((field) => [
    field,
    isBlank(own?.[field]) || own?.[field] === 0 ? image?.[field] : own?.[field],
  ]);
  return Object.fromEntries(fields.filter(([, value]) => !isBlank(value) && value !== 0));
}

function keyOf(entry: string): string {
  const equals = entry.indexOf('=');
  return equals < 0 ? entry : entry.slice(0, equals);
}

function unless<T>(own: T, image: T): T | undefined {
  return sameValue(own, image) ? undefined : own;
}

function without<T>(
  own: Readonly<Record<string, T>> | null | undefined,
  image: Readonly<Record<string, T>> | null | undefined,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(own ?? {}).filter(([key, value]) => !sameValue(value, image?.[key])),
  );
}

/** Leaves out what says nothing. */
function withoutBlanks(config: object): ContainerConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isBlank(value)));
}
