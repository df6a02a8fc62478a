/** I13. What does not parse, or makes no sense, changes nothing and is answered with its reason. */

import { rolloutKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { beforeAll, expect, it } from 'vitest';
import { SERVICE } from '../fleet/fleet.ts';
import { fleetOfThisFile, giveWord } from '../fleet/scenario.ts';
import { untilAtRest, untilEntry, untilEvent } from '../fleet/watching.ts';
import { bytes, text } from '../support/listen.ts';
import { describeWithDocker } from '../support/needs.ts';

describeWithDocker('a malformed release', () => {
  const fleet = fleetOfThisFile({ regions: { 'eu-west': 1, 'us-east': 1 } });
  let halfWay: number;

  // In the middle of a rollout there is more that could be changed.
  beforeAll(async () => {
    await fleet().publishImage('v2');
    await fleet().release({ image: `${fleet().repository}:v2` });
    await fleet().publishImage('v3');
    halfWay = await fleet().release({
      image: `${fleet().repository}:v3`,
      policy: { approval: 'manual', regions: [['eu-west'], ['us-east']] },
    });
    await untilEvent(fleet(), 'approval-awaited', halfWay);
    // Slots are freed a moment later.
    await untilAtRest(fleet());
  });

  const cases: readonly (readonly [string, () => Uint8Array | string, RegExp])[] = [
    ['that is not JSON', () => 'image: web:v2', /^the message is not JSON: /],
    ['of wrong types', () => '{"image":["web","v2"]}', /^image: is missing or not text/],
    [
      'of 1 MB',
      () => JSON.stringify({ image: 'x'.repeat(1_000_000) }),
      /^the message has 1000012 bytes: at most 65536/,
    ],
    [
      'nested 20,000 deep',
      () => `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      /^the message is nested more than 16 deep$/,
    ],
    ['in bad UTF-8', () => Buffer.from('{"image":"web:v\xff\xfe"}', 'latin1'), /^the message is not UTF-8/],
    ['without an image', () => '{"version":"v4"}', /^image: is missing/],
    [
      'of a bad reference',
      () => '{"image":"web server:v4"}',
      /^image: "web server:v4" is no image reference/,
    ],
    [
      'of a missing manifest',
      () => JSON.stringify({ image: `${fleet().repository}:never` }),
      /^image: .*never/,
    ],
    [
      'of a percentage over 100',
      () => JSON.stringify({ image: `${fleet().repository}:v3`, policy: { maxUnavailable: '120%' } }),
      /^policy\.maxUnavailable: must be a percentage of at most 100%/,
    ],
    ['that is empty', () => '', /^the message is empty/],
    ['with a field that nobody knows', () => '{"image":"web:v4","polcy":{}}', /polcy/],
  ];

  it.each(cases)('%s is rejected, and changes nothing', async (_, body, reason) => {
    const before = await standing();
    const sequence = await publish(body());
    const rejected = await untilEvent(fleet(), 'release-rejected', sequence);
    expect(rejected.service).toBe(SERVICE);
    expect(rejected.problems?.[0]).toMatch(reason);
    expect(await standing()).toEqual(before);
  });

  it('of a service that nobody knows is rejected, and changes nothing', async () => {
    const before = await standing();
    const sequence = await fleet().release({ image: `${fleet().repository}:v3` }, 'wbe');
    const rejected = await untilEvent(fleet(), 'release-rejected', sequence);
    expect(rejected.service).toBe('wbe');
    expect(rejected.problems?.[0]).toMatch(/^service: no node runs "wbe"/);
    expect(await standing()).toEqual(before);
  });

  it('of a name that no service can have is rejected, and changes nothing', async () => {
    const before = await standing();
    const sequence = await fleet().release({ image: `${fleet().repository}:v3` }, '-web!');
    const rejected = await untilEvent(fleet(), 'release-rejected', sequence);
    expect(rejected.problems?.[0]).toMatch(/^service: its name must be letters/);
    expect(await standing()).toEqual(before);
  });

  it('a malformed policy leaves the last good one in force', async () => {
    const before = await standing();
    await fleet().policy({ stages: [50, 20], soak: 'long' });
    const rejected = await untilEntry(fleet(), 'the policy to be rejected', (entry) =>
      entry.kind === 'event' && entry.event.name === 'policy-rejected' ? entry.event : undefined,
    );
    expect(rejected.problems?.join()).toMatch(/stages: must rise.*soak: must be a duration/);
    expect(await standing()).toEqual(before);
  });

  it('does not hinder the rollout that was under way', async () => {
    expect(await giveWord(fleet(), { action: 'approve' })).toMatchObject({ name: 'control-applied' });
    await untilEvent(fleet(), 'rollout-settled', halfWay);
  });

  /** What no argument of a program can hold goes to the CLI by its standard input. */
  function publish(body: Uint8Array | string): Promise<number> {
    if (typeof body === 'string' && body.length < 100_000) return fleet().release(body);
    return fleet().publishBytes('swell.release.web', typeof body === 'string' ? bytes(body) : body);
  }

  /** All that a release may change: the rollout as it is remembered, the orders, the slots, the containers. */
  async function standing(): Promise<unknown> {
    const record = await fleet().bus.readLast(STREAMS.rollouts, rolloutKey(SERVICE));
    const { rollout, settled, halted } = JSON.parse(text(record?.body ?? bytes('{}')));
    const { manager } = fleet().bus;
    const [orders, slots] = await Promise.all(
      [STREAMS.orders, STREAMS.slots].map(
        async (stream) => (await manager.streams.info(stream)).state.last_seq,
      ),
    );
    const containers = await Promise.all(fleet().nodes.map((node) => fleet().containersOn(node)));
    return { rollout, settled, halted, orders, slots, containers };
  }
});
