import { describe, expect, it } from 'vitest';
import { digestsOf, isPinned, movableReference } from './images.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

describe('an image on the node', () => {
  it('is known by every digest that a registry gave it', () => {
    const RepoDigests = [
      `web@${DIGEST}`,
      `mirror.example/web@${DIGEST}`,
      `old.example/web@${OTHER}`,
      '<none>@<none>',
    ];
    expect(digestsOf({ Id: 'x', RepoDigests })).toEqual([DIGEST, OTHER]);
    expect(digestsOf({ Id: 'x', RepoDigests: null })).toEqual([]);
  });

  it('is what was asked for only by repository and digest, however Docker shortens the name', () => {
    const image = { Id: 'x', RepoDigests: [`web@${DIGEST}`] };
    expect(isPinned(image, { repository: 'docker.io/library/web', digest: DIGEST })).toBe(true);
    expect(isPinned(image, { repository: 'docker.io/library/web', digest: OTHER })).toBe(false);
    expect(isPinned(image, { repository: 'registry.example/web', digest: DIGEST })).toBe(false);
  });

  it.each([
    ['web', { repository: 'docker.io/library/web', tag: 'latest' }],
    ['127.0.0.1:5000/team/web:v2', { repository: '127.0.0.1:5000/team/web', tag: 'v2' }],
    [`web@${DIGEST}`, undefined],
    [DIGEST, undefined],
    ['0123456789ab', undefined],
    ['', undefined],
  ])('called %j has a name that can be moved: %j', (reference, expected) => {
    expect(movableReference(reference)).toEqual(expected);
  });
});
