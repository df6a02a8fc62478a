import { describe, expect, it } from 'vitest';
import { keepsakeOf, markOf, namesOf, placeOf } from './brought.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const PINNED = { repository: 'registry.example/team/web', digest: DIGEST };
const PULLED = `registry.example/team/web@${DIGEST}`;
const MARK = `swell.local/brought:${markOf('web.shop', PINNED)}`;
const OTHERS_MARK = `swell.local/brought:${markOf('web.bank', PINNED)}`;
const NONE = { pulled: [], marks: [], keepsakes: [], isBrought: false, isShared: false, isNamed: false };

const read = (...RepoTags: string[]) => namesOf({ RepoTags, RepoDigests: [PULLED] }, 'web.shop');

describe('the names of an image', () => {
  it('tell which reference Swell pulled, and for whom', () => {
    expect(markOf('web.shop', PINNED)).toMatch(/^abababababab-[0-9a-f]{8}\.web\.shop$/);
    expect(read(MARK)).toEqual({ ...NONE, pulled: [PULLED], marks: [MARK], isBrought: true });
  });

  it('of a keepsake and of a pull that was begun are our own', () => {
    const keepsake = 'swell.local/last-good:web.shop';
    const begun = `swell.local/bringing:${markOf('web.shop', { ...PINNED, repository: 'registry.example/other' })}`;
    expect(read(MARK, keepsake, begun)).toEqual({
      ...NONE,
      pulled: [PULLED],
      marks: [MARK, begun],
      keepsakes: [keepsake],
      isBrought: true,
    });
  });

  it("of what a unit's parts go back to are our own, each part's another one", () => {
    const named = (place: string, part: string) => {
      const { repository, tag } = keepsakeOf(place, part);
      return `${repository}:${tag}`;
    };
    const [web, worker] = [named('web.shop', 'web'), named('web.shop', 'Web')];
    expect(web).not.toBe(worker);
    expect(read(MARK, web, worker)).toMatchObject({ keepsakes: [web, worker], isNamed: false });
    expect(read(MARK, named('web.bank', 'web'))).toMatchObject({ keepsakes: [], isNamed: true });
  });

  it.each([
    ['a tag that an operator gave', ['registry.example/team/web:mine']],
    ["another service's keepsake", ['swell.local/last-good:web.bank']],
    ["another service's begun pull", [`swell.local/bringing:${markOf('web.bank', PINNED)}`]],
  ])('are not all ours with %s', (_, tags) => {
    expect(read(MARK, ...tags)).toMatchObject({ isBrought: true, isNamed: true });
  });

  it('are not all ours where somebody pulled it from elsewhere', () => {
    const RepoDigests = [PULLED, `mirror.example/web@${DIGEST}`];
    expect(namesOf({ RepoTags: [MARK], RepoDigests }, 'web.shop')).toMatchObject({ isNamed: true });
  });

  it("are the same in containerd's store, which tells a tag's digest, and what it was pulled by among the tags", () => {
    const RepoTags = [PULLED, MARK];
    const RepoDigests = [PULLED, `swell.local/brought@${DIGEST}`];
    const ours = { ...NONE, pulled: [PULLED], marks: [MARK], isBrought: true };
    expect(namesOf({ RepoTags, RepoDigests }, 'web.shop')).toEqual(ours);
    const mine = { RepoTags: [...RepoTags, 'mine:1'], RepoDigests: [...RepoDigests, `mine@${DIGEST}`] };
    expect(namesOf(mine, 'web.shop')).toEqual({ ...ours, isNamed: true });
  });

  it('tell of another service that it was brought for as well', () => {
    expect(read(MARK, OTHERS_MARK)).toMatchObject({ marks: [MARK], isShared: true, isNamed: false });
    expect(read(OTHERS_MARK)).toMatchObject({ marks: [], isBrought: false, isShared: true });
  });

  it("that no mark tells of are somebody else's", () => {
    expect(read()).toEqual({ ...NONE, isNamed: true });
    const none = { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
    expect(namesOf(none, 'web.shop')).toEqual(NONE);
  });

  it('are written short by Docker where they are of its own registry', () => {
    const pinned = { repository: 'docker.io/library/web', digest: DIGEST };
    const RepoTags = [`swell.local/brought:${markOf('web', pinned)}`];
    expect(namesOf({ RepoTags, RepoDigests: [`web@${DIGEST}`] }, 'web')).toMatchObject({
      pulled: [`web@${DIGEST}`],
      isNamed: false,
    });
  });
});

it('a place is a tag, however long or strange the name of its stack is', () => {
  expect(placeOf('web', undefined)).toBe('web');
  expect(placeOf('web', 'a/b c')).toBe('web.a_b_c');
  const long = placeOf('s'.repeat(63), 't'.repeat(100));
  expect(long).toHaveLength(128);
  const mark = markOf(long, PINNED);
  expect(mark).toHaveLength(128);
  expect(namesOf({ RepoTags: [`swell.local/brought:${mark}`], RepoDigests: [PULLED] }, long)).toMatchObject({
    isBrought: true,
    isNamed: false,
  });
});
