import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { expect, test } from 'vitest';
import { bytes } from '../../support/listen.ts';
import { VirtualTime } from '../time.ts';
import { Bench } from './bench.ts';
import { Doors } from './doors.ts';

const BAD_RELEASE = {
  subject: 'swell.release.web',
  sequence: 5,
  storedAtMs: 0,
  deleted: false,
  body: bytes('{"image":17}'),
};
const rejected = (problems: readonly string[]): FleetEvent => ({
  id: 'web.5.release-rejected.1',
  name: 'release-rejected',
  service: 'web',
  rollout: 5,
  line: '',
  problems,
});

/** A message has come in that does not parse. */
function open(): { readonly bench: Bench; readonly doors: Doors } {
  const bench = new Bench(new VirtualTime(1_000_000));
  const doors = new Doors(bench);
  doors.stored('SWELL_RELEASES', BAD_RELEASE, true);
  return { bench, doors };
}

const broken = ({ violations }: Bench) => violations.map(({ rule, message }) => `${rule} ${message}`);

test('I13: a message that does not parse and is never reported, or without a reason', () => {
  const silent = open();
  silent.doors.atRest();
  expect(broken(silent.bench)).toEqual([
    expect.stringMatching(/^I13 a message on swell.release.web .* never reported/),
  ]);
  const vague = open();
  vague.doors.told(rejected([]));
  expect(broken(vague.bench)).toEqual(['I13 release-rejected web.5.release-rejected.1 does not say why']);
  const good = open();
  good.doors.told(rejected(['image: a text is wanted']));
  good.doors.atRest();
  expect({ broken: broken(good.bench), judged: good.bench.checks.I13 }).toEqual({ broken: [], judged: 1 });
});
