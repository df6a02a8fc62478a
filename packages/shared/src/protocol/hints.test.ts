import { expect, test } from 'vitest';
import { decode, encode } from './codec.ts';
import { NOTIFICATION_BYTES_MAX, notificationSchema, tagHintSchema } from './hints.ts';

const read = (body: unknown) => decode(encode(body), notificationSchema, NOTIFICATION_BYTES_MAX);

test('of what the distribution registry notifies, pushes of tags are hints', () => {
  const pushed = { mediaType: 'application/vnd.oci.image.manifest.v1+json', repository: 'team/web' };
  const events = [
    { id: '1', action: 'push', target: { ...pushed, tag: 'latest', digest: 'sha256:1' } },
    // A manifest of one platform, a layer, a download, a deletion.
    { id: '2', action: 'push', target: { ...pushed, digest: 'sha256:2' } },
    { id: '3', action: 'push', target: { ...pushed, tag: '' } },
    { id: '4', action: 'pull', target: { ...pushed, tag: 'latest' } },
    { id: '5', action: 'delete', target: { repository: 'team/web', tag: 'latest' } },
    { id: '6', action: 'mount' },
  ];
  expect(read({ events })).toEqual({ ok: true, value: [{ repository: 'team/web', tag: 'latest' }] });
});

test("Docker Hub's webhook, and whatever else can post an image", () => {
  const hub = {
    callback_url: 'https://registry.hub.docker.com/u/team/web/hook/1/',
    push_data: { pushed_at: 1_700_000_000, pusher: 'ann', tag: 'v2' },
    repository: { name: 'web', namespace: 'team', repo_name: 'team/web' },
  };
  expect(read(hub)).toEqual({ ok: true, value: [{ repository: 'team/web', tag: 'v2' }] });
  expect(read({ image: 'registry.example:5000/team/web:v2' })).toEqual({
    ok: true,
    value: [{ repository: 'team/web', tag: 'v2' }],
  });
  expect(read({ image: 'nginx' })).toEqual({ ok: true, value: [{ repository: 'library/nginx' }] });
});

test('anything else is refused with what is understood', () => {
  for (const body of [{}, [], 'web', { image: 'No Image' }, { events: {} }, { push_data: { tag: 'v2' } }])
    expect(read(body)).toMatchObject({ ok: false, problems: [expect.stringContaining('{"image":"')] });
});

test('a hint goes over the bus as it is', () => {
  for (const hint of [{ repository: 'team/web', tag: 'latest' }, { repository: 'team/web' }])
    expect(decode(encode(hint), tagHintSchema)).toEqual({ ok: true, value: hint });
});
