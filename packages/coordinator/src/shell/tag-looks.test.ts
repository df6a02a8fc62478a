import type { Host } from '@swell/shared/adapters/host.ts';
import type { Sight } from '@swell/shared/adapters/registry.ts';
import { expect, test } from 'vitest';
import { TagLooks } from './tag-looks.ts';

const WEB = { repository: 'registry.example/web', tag: 'latest' };
const DB = { repository: 'registry.example/db', tag: 'latest' };
const never = new AbortController().signal;

/** A registry that is asked once its host lets time pass. */
function ground() {
  const asleep: { readonly ms: number; readonly wake: () => void }[] = [];
  const host = {
    random: () => 0.5,
    sleep: (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        asleep.push({ ms, wake: resolve });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  } as Partial<Host> as Host;
  const asked: string[] = [];
  const look = async ({ repository }: { readonly repository: string }): Promise<Sight> => {
    asked.push(repository);
    return { digest: `${repository} ${asked.length}` };
  };
  const looks = new TagLooks({ host, registry: { look, resolve: () => expect.fail('nobody resolves') } });
  const pass = (): void => {
    for (const { wake } of asleep.splice(0)) wake();
  };
  return { looks, asked, asleep, pass };
}

test('services that watch one image ask one question, and each a moment later', async () => {
  const { looks, asked, asleep, pass } = ground();
  const sights = [looks.look(WEB, never), looks.look(DB, never), looks.look(WEB, never)];
  expect([asleep.map(({ ms }) => ms), asked]).toEqual([[600, 600], []]);
  pass();
  expect(await Promise.all(sights)).toEqual([
    { digest: 'registry.example/web 1' },
    { digest: 'registry.example/db 2' },
    { digest: 'registry.example/web 1' },
  ]);
});

test('whoever comes once it has been asked asks anew: the tag may have moved in between', async () => {
  const { looks, asked, pass } = ground();
  const first = looks.look(WEB, never);
  pass();
  await first;
  const second = looks.look(WEB, never);
  pass();
  await second;
  expect(asked.length).toBe(2);
});

test('who leads no more asks nobody', async () => {
  const { looks, asked } = ground();
  const ending = new AbortController();
  const look = looks.look(WEB, ending.signal);
  ending.abort(new Error('the term is over'));
  await expect(look).rejects.toThrow('the term is over');
  expect(asked).toEqual([]);
});
