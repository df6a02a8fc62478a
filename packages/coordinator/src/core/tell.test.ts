import { expect, test } from 'vitest';
import { newService } from './state.ts';
import { tell, told } from './tell.ts';

test('each event has a name of its own, also where the same is said again', () => {
  const saying = { name: 'rollout-paused', rollout: 7, line: 'it is paused' } as const;
  const event = { name: 'rollout-paused', service: 'web', rollout: 7, line: 'it is paused' };
  expect(tell(tell(newService('web'), saying), saying).record.outbox).toEqual([
    { id: 'web.7.rollout-paused.1', ...event },
    { id: 'web.7.rollout-paused.2', ...event },
  ]);
});

test('an answer is found by what it answers', () => {
  const { record } = tell(newService('web'), { name: 'control-applied', mark: 99, line: 'done' });
  expect(record.outbox.map(({ id }) => id)).toEqual(['web.0.control-applied.99']);
});

test('a line is one that people read to its end', () => {
  const { record } = tell(newService('web'), { name: 'rollout-settled', line: 'x'.repeat(100_000) });
  expect(record.outbox[0]?.line.length).toBe(500);
});

test('what the log has is forgotten, once', () => {
  const once = tell(newService('web'), { name: 'rollout-settled', rollout: 7, line: 'it has settled' });
  const after = told(once, 'web.7.rollout-settled.1');
  expect(after.record.outbox).toEqual([]);
  expect(told(after, 'web.7.rollout-settled.1')).toBe(after);
});
