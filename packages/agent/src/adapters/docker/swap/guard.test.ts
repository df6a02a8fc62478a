import { expect, test } from 'vitest';
import { guard } from './guard.ts';

const held = async (): Promise<void> => {};
const lost = async (): Promise<void> => {
  throw new Error('another agent acts');
};

test('only the stop of an old container waits for its slot, and what comes after it does not', async () => {
  const step = guard({ assertHeld: held, mayStop: (service) => service !== 'web' });
  await expect(step('stop-old', 'before', 'web')).rejects.toMatchObject({ retryable: true });
  await step('stop-old', 'before', 'api');
  await step('stop-old', 'after', 'web');
  await step('start-new', 'before', 'web');
});

test('nothing is done by an agent that acts no more', async () => {
  const step = guard({ assertHeld: lost, mayStop: () => true });
  await expect(step('create-new', 'before', 'web')).rejects.toThrow('another agent acts');
});
