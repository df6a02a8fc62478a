import { describe, expect, it } from 'vitest';
import { isFor, otherMachine, platformOf, spellPlatform } from './platform.ts';

const ARM = { Id: 'x', Os: 'linux', Architecture: 'arm64', Variant: 'v8' };

describe('the platform of an image', () => {
  it('is what Docker knows of it', () => {
    expect(platformOf(ARM)).toEqual({ os: 'linux', architecture: 'arm64', variant: 'v8' });
    expect(platformOf({ Id: 'x', Os: 'linux', Architecture: 'amd64', Variant: '' })).toEqual({
      os: 'linux',
      architecture: 'amd64',
    });
    expect(platformOf({ Id: 'x', Os: '', Architecture: '' })).toBeUndefined();
  });

  it('is spelled as Docker takes it', () => {
    expect(spellPlatform({ os: 'linux', architecture: 'arm', variant: 'v7' })).toBe('linux/arm/v7');
    expect(spellPlatform({ os: 'linux', architecture: 'amd64' })).toBe('linux/amd64');
  });

  it('is the one that is wanted but for a variant that nobody tells', () => {
    expect(isFor(ARM, { os: 'linux', architecture: 'arm64' })).toBe(true);
    expect(isFor(ARM, { os: 'linux', architecture: 'arm64', variant: 'v9' })).toBe(false);
    expect(isFor(ARM, { os: 'linux', architecture: 'amd64' })).toBe(false);
    expect(isFor(ARM, undefined)).toBe(true);
    expect(isFor({ Id: 'x' }, { os: 'linux', architecture: 'amd64' })).toBe(true);
  });
});

describe('a container of an image that is there for several machines', () => {
  const runsOn = (architecture: string, variant?: string) => ({
    ImageManifestDescriptor: { platform: { os: 'linux', architecture, ...(variant && { variant }) } },
  });

  it('is not followed by one for another machine', () => {
    const amd64 = { os: 'linux', architecture: 'amd64' };
    expect(otherMachine(runsOn('arm64', 'v8'), amd64)).toBe(
      'runs for linux/arm64/v8, and dockerd would start the release for linux/amd64',
    );
    expect(otherMachine(runsOn('amd64'), amd64)).toBeUndefined();
    expect(otherMachine(runsOn('arm64', 'v8'), { os: 'linux', architecture: 'arm64' })).toBeUndefined();
  });

  it('may be, where nobody tells what either is for', () => {
    expect(otherMachine({}, { os: 'linux', architecture: 'amd64' })).toBeUndefined();
    expect(otherMachine({ ImageManifestDescriptor: {} }, undefined)).toBeUndefined();
    expect(otherMachine(runsOn('arm64'), undefined)).toBeUndefined();
  });
});
