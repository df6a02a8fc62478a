import { expect, test, vi } from 'vitest';
import { Mailbox } from './mailbox.ts';

async function drain<T>(mailbox: Mailbox<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of mailbox) taken.push(item);
  return taken;
}

test('items come in the order in which they were put, whoever was first', async () => {
  const mailbox = new Mailbox<number>();
  const early = mailbox.next();
  mailbox.put(1);
  mailbox.put(2);
  mailbox.put(3);
  expect(await early).toEqual({ done: false, value: 1 });
  expect(await mailbox.next()).toEqual({ done: false, value: 2 });
  mailbox.put(4);
  expect(mailbox.size).toBe(2);
  mailbox.finish();
  expect(await drain(mailbox)).toEqual([3, 4]);
});

test('closing drops what waits, finishing does not', async () => {
  const closed = new Mailbox<number>();
  closed.put(1);
  closed.close();
  expect(await drain(closed)).toEqual([]);
  const finished = new Mailbox<number>();
  finished.put(1);
  finished.finish();
  finished.put(2);
  expect(await drain(finished)).toEqual([1]);
});

test('a failure comes after what waits, once', async () => {
  const mailbox = new Mailbox<number>();
  mailbox.put(1);
  mailbox.fail(new Error('gone'));
  expect(await mailbox.next()).toEqual({ done: false, value: 1 });
  await expect(mailbox.next()).rejects.toThrow('gone');
  expect(await mailbox.next()).toEqual({ done: true, value: undefined });
});

test('a reader that waits hears the end, and the failure', async () => {
  const closing = new Mailbox<number>();
  const waiting = closing.next();
  closing.close();
  expect(await waiting).toEqual({ done: true, value: undefined });
  const failing = new Mailbox<number>();
  const reader = failing.next();
  failing.fail(new Error('gone'));
  await expect(reader).rejects.toThrow('gone');
});

test('leaving the loop closes it, and tells', async () => {
  const onLeave = vi.fn<() => void>();
  const mailbox = new Mailbox<number>({ onLeave });
  mailbox.put(1);
  mailbox.put(2);
  for await (const item of mailbox) if (item === 1) break;
  expect(onLeave).toHaveBeenCalledOnce();
  expect(await drain(mailbox)).toEqual([]);
});
