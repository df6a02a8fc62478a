import { describe, expect, it } from 'vitest';
import { LogStory } from '../support/log-story.ts';
import { commandLine } from './act.ts';
import { ALL_IN, looked } from './availability.ts';
import { readOptions, spread } from './options.ts';
import { SlotTally } from './slot-tally.ts';

describe('who is out at once', () => {
  it('is counted by region, and remembered', () => {
    const [a, b, far] = [
      { region: 'eu', name: 'a' },
      { region: 'eu', name: 'b' },
      { region: 'us', name: 'c' },
    ] as const;
    let seen = looked(ALL_IN, a, false);
    seen = looked(seen, a, false);
    seen = looked(seen, far, false);
    expect(seen.mostOut).toBe(1);
    seen = looked(looked(seen, b, false), a, true);
    expect([seen.mostOut, seen.out]).toEqual([2, { eu: ['b'], us: ['c'] }]);
  });

  it('is told by the slots where nobody can be asked', () => {
    const story = new LogStory();
    story.order(8);
    story.renew(story.claim('a', 0));
    story.free({ slot: 0 });
    story.claim('b', 0);
    story.claim('c', 1);
    const tally = new SlotTally();
    for (const entry of story.entries) tally.see(entry);
    expect([tally.takeMostOut(), tally.takeMostOut()]).toEqual([2, 0]);
  });
});

describe('what is said behind the command', () => {
  it('has defaults, and is refused with a reason', () => {
    expect(readOptions([])).toEqual({ nodes: 6, memory: false, json: false, keep: false });
    expect(readOptions(['--nodes', '9', '--json'])).toMatchObject({ nodes: 9, json: true });
    expect(readOptions(['--help'])).toBe('help');
    expect(() => readOptions(['--nodes', '2'])).toThrow('--nodes takes a whole number from 3 to 60');
    expect(() => readOptions(['--fast'])).toThrow('--fast');
  });

  it('spreads the nodes over the regions', () => {
    expect(spread(7)).toEqual({ 'eu-west': 3, 'us-east': 2, 'ap-south': 2 });
  });
});

describe('a command line', () => {
  it('is one that a shell takes', () => {
    expect(commandLine(['nats', 'pub', '-J', 'swell.release.web', '{"image":"a/b:1"}', "it's"])).toBe(
      `nats pub -J swell.release.web '{"image":"a/b:1"}' 'it'\\''s'`,
    );
  });
});
