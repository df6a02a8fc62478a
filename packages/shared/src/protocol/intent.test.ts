import { expect, test } from 'vitest';
import { CONTROL_ACTIONS, type ControlIntent } from '../domain/intent.ts';
import { decode, encode } from './codec.ts';
import { controlSchema } from './control.ts';
import { intentJsonSchemas, releaseSchema } from './intent.ts';

function problems(schema: typeof releaseSchema | typeof controlSchema, body: unknown): readonly string[] {
  const read = decode<unknown>(encode(body), schema);
  return read.ok ? [] : read.problems;
}

test('a release needs an image and nothing else', () => {
  expect(decode(encode({ image: 'registry.example/storagenode:v2' }), releaseSchema)).toEqual({
    ok: true,
    value: {
      image: { repository: 'registry.example/storagenode', tag: 'v2' },
      overrides: {},
      acceptHalted: false,
    },
  });
});

test('a release may name its version, bring a policy along, and accept what was halted', () => {
  const body = { image: 'nginx', version: '1.2.3', policy: { soak: '1m' }, acceptHalted: true };
  expect(decode(encode(body), releaseSchema)).toEqual({
    ok: true,
    value: {
      image: { repository: 'docker.io/library/nginx' },
      version: '1.2.3',
      overrides: { soakMs: 60_000 },
      acceptHalted: true,
    },
  });
});

test('B1: a release may be urgent, not begin before an hour, and expire', () => {
  const body = {
    image: 'web:v1',
    from: ['>=1.5 <2'],
    allowDowngrade: true,
    urgent: true,
    notBefore: '2026-12-01T07:00:00+01:00',
    expires: '2026-12-08T00:00:00Z',
  };
  expect(decode(encode(body), releaseSchema)).toEqual({
    ok: true,
    value: {
      image: { repository: 'docker.io/library/web', tag: 'v1' },
      overrides: {},
      acceptHalted: false,
      from: ['>=1.5 <2'],
      allowDowngrade: true,
      urgent: true,
      notBeforeMs: Date.UTC(2026, 11, 1, 6),
      expiresMs: Date.UTC(2026, 11, 8),
    },
  });
});

test('K3: a release may belong to a train, and name all that do', () => {
  const read = decode(encode({ image: 'web:v1', train: '2026-11', trainOf: ['db', 'web'] }), releaseSchema);
  expect(read).toMatchObject({ ok: true, value: { train: '2026-11', trainOf: ['db', 'web'] } });
});

test('B18: a release may bring each part of a stack an image of its own', () => {
  const body = { images: { web: 'registry.example/web:v2', 'mail.worker': 'worker' } };
  expect(decode(encode(body), releaseSchema)).toEqual({
    ok: true,
    value: {
      image: {
        parts: {
          web: { repository: 'registry.example/web', tag: 'v2' },
          'mail.worker': { repository: 'docker.io/library/worker' },
        },
      },
      overrides: {},
      acceptHalted: false,
    },
  });
});

test.each<[string, unknown, readonly string[]]>([
  [
    'an image beside images',
    { image: 'web', images: { a: 'web', b: 'web' } },
    ['image: stands beside "images": say one of the two'],
  ],
  [
    'one part',
    { images: { web: 'web' } },
    ['images: must name at least two parts: say "image" where there is one'],
  ],
  [
    'seventeen parts',
    { images: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`part-${at}`, 'web'])) },
    ['images: must not name more than 16 parts'],
  ],
  [
    'a part whose image is none',
    { images: { web: 'web', worker: 'A B' } },
    ['images.worker: "A B" is no image reference: write registry/name:tag'],
  ],
  [
    'a part that is none',
    { images: { web: 'web', 'a part': 'web' } },
    ['images.a part: must be a part: letters, digits and . _ -, 63 at most'],
  ],
  [
    'a part that every object has',
    { images: { web: 'web', constructor: 'web' } },
    ['images.constructor: must be a part: letters, digits and . _ -, 63 at most'],
  ],
  [
    'a list of images',
    { images: ['web', 'worker'] },
    ['images: must name an image for each part: {"web":"registry.example/web:v2","worker":"…"}'],
  ],
])('B18: %s is no unit', (_, body, expected) => {
  expect(problems(releaseSchema, body)).toEqual(expected);
});

test.each<[string, unknown, readonly string[]]>([
  [
    'members of no train',
    { image: 'web:v1', trainOf: ['db'] },
    ['trainOf: needs the name of its train: say "train" as well'],
  ],
  [
    'a train of nobody',
    { image: 'web:v1', train: '2026-11', trainOf: [] },
    ['trainOf: must name at least one service: leave it out where releases are published in order'],
  ],
  [
    'an hour without its zone',
    { image: 'web', notBefore: '2026-12-01T06:00:00', expires: 'tomorrow' },
    [
      'notBefore: must be a time with its zone, such as "2026-12-01T06:00:00Z"',
      'expires: must be a time with its zone, such as "2026-12-01T06:00:00Z"',
    ],
  ],
  ['no image', {}, ['image: is missing or not text: name an image such as "registry.example/web:v2"']],
  [
    'a number',
    { image: 7 },
    ['image: is missing or not text: name an image such as "registry.example/web:v2"'],
  ],
  [
    'no reference',
    { image: 'Registry/Web:v2 ' },
    ['image: "Registry/Web:v2 " is no image reference: write registry/name:tag'],
  ],
  [
    'a digest that is none',
    { image: 'web@sha256:12' },
    ['image: "web@sha256:12" is no image reference: write registry/name:tag'],
  ],
  ['words for yes', { image: 'web', urgent: 'yes' }, ['urgent: must be true or false, and is a text']],
  [
    'a misspelt field',
    { image: 'web', acceptHalten: true },
    ['there is no field "acceptHalten" (did you mean "acceptHalted"?)'],
  ],
  ['a bad policy', { image: 'web', policy: { stages: [1] } }, ['policy.stages: must end with 100']],
  [
    'an empty version',
    { image: 'web', version: '' },
    ['version: Too small: expected string to have >=1 characters'],
  ],
  [
    'a watch',
    { image: 'web', policy: { watch: { image: 'web' } } },
    [
      'policy.watch: watches a tag for the service, not for one release: put it into the bucket swell_policies',
    ],
  ],
  ['a list', [{ image: 'web' }], ['the message: must be an object, and is a list']],
  ['nothing', null, ['the message: must be an object, and is null']],
])('%s is no release', (_, body, expected) => {
  expect(problems(releaseSchema, body)).toEqual(expected);
});

test.each(['approve', 'pause', 'resume', 'halt', 'abort', 'retry', 'undo'])(
  '%s is a word of control',
  (action) => {
    const word = { action, rollout: 7, reason: 'because' };
    expect(decode(encode(word), controlSchema)).toEqual({ ok: true, value: word });
    expect(decode(encode({ action }), controlSchema)).toEqual({ ok: true, value: { action } });
  },
);

test.each(['approve', 'reject'])('%s may be about what is proposed, by its digest', (action) => {
  const word = { action, digest: `sha256:${'5'.repeat(64)}` };
  expect(decode(encode(word), controlSchema)).toEqual({ ok: true, value: word });
});

test.each<[string, unknown, readonly string[]]>([
  ['another word', { action: 'stop' }, [`action: must be one of ${CONTROL_ACTIONS.join(', ')}`]],
  ['no word', {}, [`action: must be one of ${CONTROL_ACTIONS.join(', ')}`]],
  ['a list', [], ['the message: must be an object, and is a list']],
  [
    'a field of another word',
    { action: 'pause', version: 'v1' },
    ['there is no field "version": there are action, scope, rollout, reason'],
  ],
  [
    'no version',
    { action: 'rollback' },
    ['version: is missing: name a version on which the fleet has settled'],
  ],
  ['a stage that is none', { action: 'approve', to: 101 }, ['to: must not be more than 100']],
  ['a hold without a reason', { action: 'hold', nodes: ['n1'] }, ['reason: must say why, for whoever looks']],
  [
    'a hold of nobody',
    { action: 'hold', reason: 'new disks' },
    ['the message: must name nodes, a label, a version or a region'],
  ],
  [
    'a rollout that is none',
    { action: 'halt', rollout: 0 },
    ['rollout: Too small: expected number to be >=1'],
  ],
  [
    'a proposal that is not named',
    { action: 'reject' },
    ['digest: must be a digest: sha256: and 64 hexadecimal digits'],
  ],
  [
    'a digest that nothing can be done with',
    { action: 'halt', digest: `sha256:${'5'.repeat(64)}` },
    ['there is no field "digest": there are action, return, scope, rollout, reason'],
  ],
  [
    'a proposal that is a rollout',
    { action: 'approve', rollout: 7, digest: `sha256:${'5'.repeat(64)}` },
    ['rollout: does not go with digest: leave it out'],
  ],
  [
    'a number in quotes',
    { action: 'halt', rollout: '7' },
    ['rollout: must be a whole number, and is a text'],
  ],
  ['a half', { action: 'halt', rollout: 7.5 }, ['rollout: must be a whole number']],
  ['words for no', { action: 'halt', return: 'no' }, ['return: must be true or false, and is a text']],
  [
    'a misspelt field',
    { action: 'halt', rolout: 7 },
    ['there is no field "rolout" (did you mean "rollout"?)'],
  ],
])('%s is no word of control', (_, body, expected) => {
  expect(problems(controlSchema, body)).toEqual(expected);
});

test.each<[object, ControlIntent]>([
  [
    { action: 'approve', to: 50 },
    { action: 'approve', toPercent: 50 },
  ],
  [
    { action: 'rollback', version: 'v1' },
    { action: 'rollback', version: 'v1' },
  ],
  [
    { action: 'hold', nodes: ['n1'], label: 'rack=7', region: 'eu', version: '<2', reason: 'new disks' },
    {
      action: 'hold',
      hold: { nodes: ['n1'], label: 'rack=7', region: 'eu', version: '<2', reason: 'new disks' },
    },
  ],
  [
    { action: 'unhold', region: 'eu', reason: 'done' },
    { action: 'unhold', nodes: { region: 'eu' } },
  ],
  [
    { action: 'halt', return: false, rollout: 7 },
    { action: 'halt', stay: true, rollout: 7 },
  ],
  [{ action: 'halt', return: true }, { action: 'halt' }],
])('%o is read', (word, intent) => {
  expect(decode(encode(word), controlSchema)).toStrictEqual({ ok: true, value: intent });
});

test('what people write is described as JSON Schema', () => {
  expect(intentJsonSchemas()).toMatchObject({
    release: {
      oneOf: [{ required: ['image'] }, { required: ['images'] }],
      additionalProperties: false,
    },
    control: {
      oneOf: CONTROL_ACTIONS.map((action) => ({
        properties: { action: { const: action } },
        required: expect.arrayContaining(['action']),
        additionalProperties: false,
      })),
    },
  });
});
